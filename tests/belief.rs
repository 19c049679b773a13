//! The belief and its rule, against schedule.md's figures and by brute force.

use comet_tasks::core::belief::{Belief, Learned};
use comet_tasks::core::math::{exp, ln};
use comet_tasks::core::task::{Family, Kind, Progress};

const BUDGET: f64 = 0.5;

fn imagine() -> Belief {
    Belief::shipped(Family::Midjourney, Kind::Imagine)
}

/// E[(u − T)+ | T > t] by summing over the density.
fn waste_by_sum(belief: Belief, t: f64, u: f64) -> f64 {
    let density = |x: f64| {
        let z = (x.ln() - belief.mu) / belief.sigma;
        (-z * z / 2.0).exp() / (x * belief.sigma * (2.0 * std::f64::consts::PI).sqrt())
    };
    let step = 0.001;
    let sum = |from: f64, to: f64, f: &dyn Fn(f64) -> f64| {
        let count = ((to - from) / step) as usize;
        (0..count).map(|i| f(from + (i as f64 + 0.5) * step) * step).sum::<f64>()
    };
    sum(t, u, &|x| (u - x) * density(x)) / sum(t, 3_000.0, &density)
}

#[test]
fn the_closed_form_is_the_expected_waste() {
    for (t, u) in [(1.0, 15.0), (20.0, 30.0), (40.0, 45.0), (90.0, 110.0)] {
        let (closed, summed) = (imagine().expected_waste(t, u), waste_by_sum(imagine(), t, u));
        assert!((closed - summed).abs() < 1e-3 * (1.0 + summed), "t {t} u {u}: {closed} against {summed}");
    }
}

#[test]
fn the_next_request_is_where_the_expected_waste_reaches_the_budget() {
    for age in [10.0, 25.0, 40.0, 60.0] {
        let gap = imagine().gap(age, BUDGET, 5.0);
        if gap > 1.001 && gap < 29.999 {
            let waste = imagine().expected_waste(age, age + gap);
            assert!((waste - BUDGET).abs() < 1e-3, "age {age}: gap {gap}, waste {waste}");
        }
    }
}

#[test]
fn a_gap_is_between_one_second_and_thirty() {
    assert!(imagine().gap(40.0, BUDGET, 5.0) >= 1.0);
    assert_eq!(imagine().gap(250.0, BUDGET, 0.1), 1.0);
    assert_eq!(imagine().gap(40.0, 1e9, 5.0), 30.0);
}

#[test]
fn a_budget_under_the_default_may_shorten_the_least_gap_to_a_quarter_of_a_second() {
    assert_eq!(imagine().gap(250.0, 0.2, 0.1), 0.4);
    assert_eq!(imagine().gap(250.0, 1e-9, 0.1), 0.25);
    assert_eq!(imagine().gap(250.0, 5.0, 0.1), 1.0);
}

#[test]
fn progress_that_stalls_past_the_end_that_it_foretold_says_nothing() {
    let told = imagine().with_progress(Some(Progress(93_000)), 9.3);
    assert_eq!(imagine().unless_overdue(told, 10.0), told);
    assert_eq!(imagine().unless_overdue(told, 15.0), imagine());
}

#[test]
fn a_belief_that_has_failed_waits_eight_percent_of_the_age_and_at_most_twice_the_last_gap() {
    assert_eq!(imagine().gap(250.0, BUDGET, 15.0), 20.0);
    assert_eq!(imagine().gap(250.0, BUDGET, 4.0), 8.0);
    assert_eq!(imagine().gap(1_000.0, BUDGET, 100.0), 30.0);
}

#[test]
fn progress_draws_the_belief_to_what_it_foretells() {
    let told = imagine().with_progress(Some(Progress(50_000)), 60.0);
    let foretold = 120.0_f64.ln();
    assert!(told.mu > imagine().mu && told.mu < foretold);
    assert!(told.sigma < imagine().sigma);
    let nearly = imagine().with_progress(Some(Progress(93_000)), 111.6);
    assert!((nearly.mu - foretold).abs() < (told.mu - foretold).abs(), "later progress counts for more");
}

#[test]
fn no_progress_says_nothing() {
    assert_eq!(imagine().with_progress(Some(Progress(0)), 60.0), imagine());
    assert_eq!(imagine().with_progress(None, 60.0), imagine());
}

#[test]
fn what_remains_is_conditional_on_the_age() {
    let fresh = imagine().remaining(0.0, 0.5);
    assert!((fresh - 40.0).abs() < 0.01, "{fresh}");
    assert!(imagine().remaining(40.0, 0.5) > 0.0);
    assert!(imagine().remaining(40.0, 0.9) > imagine().remaining(40.0, 0.5));
}

#[test]
fn finished_tasks_move_the_belief_and_a_few_do_not_move_it_all_the_way() {
    let mut learned = Learned::default();
    assert_eq!(learned.apply(imagine()), imagine());
    (0..2).for_each(|_| learned.add(80.0));
    let after_two = learned.apply(imagine());
    assert!((after_two.mu - (40.0_f64.ln() + 80.0_f64.ln()) / 2.0).abs() < 1e-9);
    (0..200).for_each(|_| learned.add(80.0));
    assert!((learned.apply(imagine()).mu - 80.0_f64.ln()).abs() < 0.01);
}

#[test]
fn an_impossible_duration_teaches_nothing() {
    let mut learned = Learned::default();
    for seconds in [0.0, -5.0, f64::NAN, f64::INFINITY, 1e9] {
        learned.add(seconds);
    }
    assert_eq!(learned, Learned::default());
}

#[test]
fn powers_and_logarithms_are_those_of_the_standard_library_to_eleven_digits() {
    for step in -6_000..6_000 {
        let x = f64::from(step) / 10.0;
        assert!((exp(x) / x.exp() - 1.0).abs() < 1e-11, "exp {x}");
        let y = f64::from(step + 6_001) / 7.0;
        assert!((ln(y) - y.ln()).abs() < 1e-12 * y.ln().abs().max(1.0), "ln {y}");
    }
    assert!(exp(f64::NEG_INFINITY) < 1e-300 && exp(-1e9) < 1e-300);
}
