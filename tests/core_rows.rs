//! Which part of a list's reply is whose.

use comet_tasks::core::json::{self, Value};
use comet_tasks::core::rows::rows;

#[test]
fn each_row_is_cut_out_as_it_was_written() {
    let list = r#" [ {"id":"1","prompt":"a ], \"b\" {"} , null,{"id":2,"buttons":[{"a":1},{}]}] "#;
    let cut = [r#"{"id":"1","prompt":"a ], \"b\" {"}"#, "null", r#"{"id":2,"buttons":[{"a":1},{}]}"#];
    assert_eq!(rows(list), cut);
    assert_eq!(rows(&format!(r#"{{"code":1,"more":{{"a":1,"b":2}},"data":{list}}}"#)), cut);
}

#[test]
fn the_rows_are_those_that_the_reader_finds() {
    for list in ["[]", "[1]", r#"["\\",["a",[]],{"b":{"c":[1,2]}}]"#] {
        let Ok(Value::List(items)) = json::parse(list) else { panic!("no list: {list}") };
        let cut: Vec<Value> = rows(list).into_iter().filter_map(|row| json::parse(row).ok()).collect();
        assert_eq!(cut, items, "{list}");
    }
}

#[test]
fn a_reply_that_is_no_list_has_no_rows() {
    for text in ["", "{}", r#"{"id":"1","status":"SUCCESS"}"#, "\"a\\", "]]}", "[[["] {
        assert!(rows(text).iter().all(|row| row.is_empty()), "{text}");
    }
}
