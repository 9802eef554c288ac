//! Random filters of values inside of JSON.

use roster_domain::Field;
use roster_tests::Random;
use serde_json::{Value as Json, json};

/// Ways into JSON: those that lead somewhere for somebody, and those that look so.
const INSIDE: [&str; 10] = [
    ".a",
    ".a[0]",
    ".a[1]",
    ".a.b",
    ".a.0",
    ".k",
    "[0]",
    "[1]",
    "[0].a",
    ".it's \"x\" \\",
];

/// A filter of a value inside of JSON.
pub(super) fn random_inside(random: &mut Random, field: &Field) -> Json {
    let texts = ["Ä", "a", "text", "Text %_", "1.5", "z", "%", "true"];
    let numbers = [
        json!(1),
        json!(1.5),
        json!(-2),
        json!(0),
        json!(0.1),
        json!(1e10),
    ];
    let any = |random: &mut Random| match random.below(3) {
        0 => json!(*random.one(&texts)),
        1 => random.one(&numbers).clone(),
        _ => json!(random.chance(50)),
    };
    let orders = ["_lt", "_lte", "_gt", "_gte"];
    let patterns = [
        "_contains",
        "_ncontains",
        "_icontains",
        "_starts_with",
        "_nistarts_with",
        "_ends_with",
        "_niends_with",
    ];
    let presences = ["_null", "_nnull", "_empty", "_nempty"];
    let of_one_kind = |random: &mut Random, is_text: bool| {
        if is_text {
            json!(*random.one(&texts))
        } else {
            random.one(&numbers).clone()
        }
    };
    let (operator, value) = match random.below(6) {
        0 => (*random.one(&["_eq", "_neq"]), any(random)),
        1 => {
            let list: Json = (0..=random.below(4)).map(|_| any(random)).collect();
            (*random.one(&["_in", "_nin"]), list)
        }
        2 => {
            let is_text = random.chance(50);
            (*random.one(&orders), of_one_kind(random, is_text))
        }
        3 => {
            let is_text = random.chance(50);
            let ends: Json = (0..2).map(|_| of_one_kind(random, is_text)).collect();
            (*random.one(&["_between", "_nbetween"]), ends)
        }
        4 => (*random.one(&patterns), json!(*random.one(&texts))),
        _ => (*random.one(&presences), json!(random.chance(70))),
    };
    let way = *random.one(&INSIDE);
    json!({ format!("json({}{way})", field.name): { operator: value } })
}
