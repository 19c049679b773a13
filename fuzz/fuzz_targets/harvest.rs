//! Any JSON as a task's object, any text as a URL: what is harvested is http(s), without repeats and without user names.
#![no_main]

use comet_tasks::core::assets::{self, WebUrl};
use comet_tasks::core::json;
use libfuzzer_sys::fuzz_target;

const BASE_URL: &str = "https://h.test/p";

fuzz_target!(|text: &str| {
    assets::url_expiry(text);
    if let Some(url) = assets::absolute(text, BASE_URL) {
        check(&url);
    }
    let Ok(object) = json::parse(text) else { return };
    for video_task in [true, false] {
        let found = assets::harvest(&object, video_task, BASE_URL);
        for urls in [&found.images, &found.videos] {
            assets::expires_at(urls);
            urls.iter().for_each(|url| check(url));
            for (at, url) in urls.iter().enumerate() {
                assert!(!urls[..at].contains(url), "{url} twice");
            }
        }
    }
});

fn check(url: &str) {
    let parsed = WebUrl::parse(url).expect("a harvested URL is one");
    assert!(!parsed.origin.contains('@'), "{url} has a user name");
    assert!(!url.contains(|letter: char| letter.is_control()), "{url:?} has a control character");
}
