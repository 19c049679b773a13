//! The small readers of `core::text` against those of the standard library.

use std::net::Ipv6Addr;

use comet_tasks::core::text::{before, find, integer, is_ipv6, number, split, split_once};
use proptest::prelude::*;

#[test]
fn an_address_is_one_where_the_standard_library_says_so() {
    for address in [
        "::",
        "::1",
        "1::",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::8:9",
        ":1",
        "1:",
        ":::",
        "1::2::3",
        "1:2:3:4::5:6:7:8",
        "1:2:3:4:5:6:7::",
        "12345::",
        "g::",
        "::1.2.3.4",
        "::ffff:255.0.10.1",
        "::256.1.1.1",
        "::01.1.1.1",
        "::1.2.3",
        "1.2.3.4::",
        "1:2:3:4:5:6:1.2.3.4",
        "1:2:3:4:5:6:7:1.2.3.4",
        "",
        "1",
        "::1%1",
        "::-1.0.0.0",
        "::1.2.3.4:5",
    ] {
        assert_eq!(is_ipv6(address), address.parse::<Ipv6Addr>().is_ok(), "{address}");
    }
}

proptest! {
    #[test]
    fn any_address_is_one_where_the_standard_library_says_so(address in "(::|:|[0-9a-fg]{1,5}|[0-9]{1,3}\\.){0,17}") {
        prop_assert_eq!(is_ipv6(&address), address.parse::<Ipv6Addr>().is_ok());
    }

    #[test]
    fn words_are_found_and_cut_as_the_standard_library_does_it(text in "[ab:é]{0,12}", word in "[ab:é]{1,3}") {
        prop_assert_eq!(find(&text, &word), text.find(&word));
        prop_assert_eq!(split_once(&text, &word), text.split_once(&word));
        prop_assert_eq!(before(&text, &word), text.split(&word).next().expect("there is always a first piece"));
        prop_assert!(split(&text, &word).eq(text.split(&word)));
    }

    #[test]
    fn numbers_are_read_as_the_standard_library_reads_them(text in "[+-]?[0-9a-fé]{0,19}") {
        prop_assert_eq!(integer(&text), text.parse::<i64>().ok().filter(|number| *number != i64::MIN));
        let unsigned = text.trim_start_matches(['+', '-']);
        prop_assert_eq!(number(unsigned, 16), i64::from_str_radix(unsigned, 16).ok());
    }
}
