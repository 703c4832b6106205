use proptest::prelude::*;

use crate::{Body, Form, Json, Parameters, Target, Way};

/// Parameters as they were put, and what callables were given.
#[derive(Debug, Default, PartialEq)]
struct Put(Vec<(usize, String)>, Vec<(usize, String)>);

impl Parameters for Put {
    fn put(&mut self, slot: usize, text: &str) {
        self.0.push((slot, text.to_owned()));
    }

    fn call(&mut self, number: usize, value: &Json<'_>) -> Option<()> {
        self.1.push((number, format!("{value:?}")));
        Some(())
    }
}

fn to(slot: usize, way: Way) -> Vec<Target> {
    vec![Target { slot, way }]
}

fn object(fields: Vec<(&str, Form)>) -> Form {
    Form::Object(fields.into_iter().map(|(name, form)| (name.to_owned(), form)).collect())
}

fn bind(form: &Form, variables: &str) -> Option<Vec<(usize, String)>> {
    let body = format!(r#"{{"query":"q","variables":{variables}}}"#);
    let variables = Body::read(body.as_bytes())?.variables;
    let mut put = Put::default();
    (form.fits(&variables) && form.fill(&variables, &mut put).is_some()).then_some(put.0)
}

fn bound(form: &Form, variables: &str) -> Option<String> {
    bind(form, variables).map(|put| put.into_iter().map(|(_, text)| text).collect())
}

#[test]
fn bodies_of_all_common_clients_are_read() {
    for body in [
        r#"{"query":"{ a }"}"#,
        r#"{"query": "{ a }", "variables": {}}"#,
        r#" {"operationName" :null, "variables":null,"query":"{ a }"} "#,
        r#"{"query":"{ a }","extensions":{"clientLibrary":{"name":"x","version":"4.0.1"}}}"#,
        r#"{"query":"{ a }","extensions":{"persistedQuery":null}}"#,
        r#"{"query":"{ a }","more":[1.5,{"x":"\u00e9"}]}"#,
    ] {
        let read = Body::read(body.as_bytes());

        let variables = Json::Object(Vec::new());
        assert_eq!(read, Some(Body { query: r#""{ a }""#, name: None, variables }), "{body}");
    }
}

#[test]
fn a_spelling_is_kept() {
    let read = Body::read(br#"{"query":"{\n\u0061 }","operationName":"A"}"#);

    let read = read.map(|read| (read.query, read.name));
    assert_eq!(read, Some((r#""{\n\u0061 }""#, Some(r#""A""#))));
}

#[test]
fn what_others_have_to_look_at_is_not_read() {
    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"query":null}"#,
        r#"{"query":5}"#,
        r#"{"query":"{ a }"} x"#,
        r#"{"query":"{ a }","query":"{ a }"}"#,
        r#"{"query":"{ a }","operationName":1}"#,
        r#"{"query":"{ a }","variables":[]}"#,
        r#"{"query":"{ a }","variables":{"x":1,"x":1}}"#,
        r#"{"query":"{ a }","variables":{"x":1,"\u0078":1}}"#,
        r#"{"query":"{ a }","variables":{"x":"\ud800"}}"#,
        r#"{"query":"{ a }","variables":{"x":NaN}}"#,
        r#"{"query":"{ a }","extensions":[]}"#,
        r#"{"query":"{ a }","extensions":{"persistedQuery":{"version":1}}}"#,
        r#"{"query":"{ a }","more":1e999}"#,
        "{\"query\":\"{ \n}\"}",
        "\u{feff}{\"query\":\"{ a }\"}",
    ] {
        assert_eq!(Body::read(body.as_bytes()), None, "{body}");
    }
    assert_eq!(Body::read(b"{\"query\":\"\xff\"}"), None);
    let long = format!(r#"{{"query":"q","more":"{}"}}"#, " ".repeat(1 << 16));
    assert_eq!(Body::read(long.as_bytes()), None);
    let deep = "[".repeat(60_000);
    assert_eq!(Body::read(format!(r#"{{"query":"q","more":{deep}"#).as_bytes()), None);
}

#[test]
fn strings_and_identifiers_stay_as_they_are() {
    let text = object(vec![("x", Form::Text(to(0, Way::Same)))]);
    let id = object(vec![("x", Form::Id(to(0, Way::Same)))]);

    assert_eq!(bound(&text, r#"{"x":"\u00e9\ud83d\ude00\n"}"#).as_deref(), Some("é😀\n"));
    assert_eq!(bound(&id, r#"{"x":-12}"#).as_deref(), Some("-12"));
    for wrong in [r#"{"x":null}"#, r#"{"x":1}"#, "{}", r#"{"y":"a"}"#, r#"{"x":"a","y":"a"}"#] {
        assert_eq!(bound(&text, wrong), None, "{wrong}");
    }
    for wrong in [r#"{"x":true}"#, r#"{"x":1.0}"#, r#"{"x":-0}"#, r#"{"x":"\u0000"}"#] {
        assert_eq!(bound(&id, wrong), None, "{wrong}");
    }
}

#[test]
fn stored_identifiers_have_the_form_postgresql_prints() {
    let uuid = object(vec![("x", Form::Id(to(0, Way::Uuid)))]);
    let int4 = object(vec![("x", Form::Id(to(0, Way::Int32)))]);
    let int8 = object(vec![("x", Form::Id(to(0, Way::Int64)))]);

    let canonical = "0123abcd-0123-4567-89ab-0123456789ab";
    assert_eq!(bound(&uuid, &format!(r#"{{"x":"{canonical}"}}"#)).as_deref(), Some(canonical));
    for wrong in [canonical.to_uppercase(), canonical.replace('-', ""), canonical.replace('a', "g")]
    {
        assert_eq!(bound(&uuid, &format!(r#"{{"x":"{wrong}"}}"#)), None);
    }
    assert_eq!(bound(&int4, r#"{"x":"2147483647"}"#).as_deref(), Some("2147483647"));
    assert_eq!(bound(&int8, r#"{"x":2147483648}"#).as_deref(), Some("2147483648"));
    for wrong in ["2147483648", "+1", " 1", "01", "-0", "1_0", "", "x"] {
        assert_eq!(bound(&int4, &format!(r#"{{"x":"{wrong}"}}"#)), None, "{wrong}");
    }
}

#[test]
fn moments_of_utc_are_as_python_prints_them() {
    let form = object(vec![("x", Form::Text(to(0, Way::Instant)))]);
    let bound = |text: &str| bound(&form, &format!(r#"{{"x":"{text}"}}"#));

    for (given, printed) in [
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59+00:00"),
        ("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+00:00"),
        ("2024-01-31T12:00:00.120Z", "2024-01-31T12:00:00.120000+00:00"),
        ("2024-01-31T12:00:00.000001Z", "2024-01-31T12:00:00.000001+00:00"),
        ("2024-01-31T12:00:00.000Z", "2024-01-31T12:00:00+00:00"),
    ] {
        assert_eq!(bound(given).as_deref(), Some(printed));
    }
    for wrong in [
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2024-01-31T24:00:00Z",
        "2024-01-31T12:60:00Z",
        "2024-01-31T12:00:60Z",
        "2024-01-31T12:00:00",
        "2024-01-31T12:00:00+01:00",
        "2024-01-31T12:00:00.1Z",
        "2024-01-31T12:00:00.Z",
        "2024-01-31T12:00:00.+12Z",
        "2024-01-31t12:00:00Z",
        "2024-01-31 12:00:00Z",
        "+024-01-31T12:00:00Z",
        "2024-01-31T12:00:0éZ",
        "Z",
    ] {
        assert_eq!(bound(wrong), None, "{wrong}");
    }
}

#[test]
fn integers_have_32_bits() {
    let int = object(vec![("x", Form::Int(to(0, Way::Same)))]);

    assert_eq!(bound(&int, r#"{"x":-2147483648}"#).as_deref(), Some("-2147483648"));
    for wrong in ["2147483648", "1.0", "1e0", "-0", "true", "\"1\"", "18446744073709551616"] {
        assert_eq!(bound(&int, &format!(r#"{{"x":{wrong}}}"#)), None, "{wrong}");
    }
}

#[test]
fn objects_and_arrays_are_the_same_all_the_way_down() {
    let form = object(vec![
        ("where", object(vec![("AND", Form::Array(vec![Form::Boolean(to(0, Way::Same))]))])),
        ("limit", Form::Same(Json::Integer(20))),
        ("none", Form::Null),
    ]);

    let fits = r#"{"none":null,"limit":20,"where":{"AND":[true]}}"#;
    assert_eq!(bind(&form, fits), Some(vec![(0, "true".to_owned())]));
    for wrong in [fits.replace("20", "21"), fits.replace("true", "true,true")] {
        assert_eq!(bind(&form, &wrong), None);
    }
    assert_eq!(bind(&form, &fits.replace(r#""none":null"#, r#""none":1"#)), None);
}

#[test]
fn callables_take_scalars_or_arrays_of_them() {
    let scalar = object(vec![("x", Form::Call { number: 3, list: false })]);
    let list = object(vec![("x", Form::Call { number: 3, list: true })]);

    for (value, is_scalar, is_list) in [
        ("1", true, false),
        (r#""a""#, true, false),
        ("[]", false, true),
        ("[1,\"a\"]", false, true),
        ("[null]", false, false),
        ("null", false, false),
        ("1.5", false, false),
        ("{}", false, false),
        ("[[1]]", false, false),
    ] {
        let variables = format!(r#"{{"x":{value}}}"#);
        assert_eq!(bind(&scalar, &variables).is_some(), is_scalar, "{value}");
        assert_eq!(bind(&list, &variables).is_some(), is_list, "{value}");
    }
}

proptest! {
    #[test]
    fn a_pattern_has_no_wildcards_of_the_text(text in ".*") {
        let form = Form::Text(to(0, Way::Like("%".into(), "".into())));
        let mut put = Put::default();

        prop_assert!(form.fill(&Json::Text(text.as_str().into()), &mut put).is_some() != text.contains('\0'));
        if let Some((_, made)) = put.0.pop() {
            let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            prop_assert_eq!(made, format!("%{escaped}"));
        }
    }

    #[test]
    fn no_bytes_are_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Body::read(&bytes);
    }
}
