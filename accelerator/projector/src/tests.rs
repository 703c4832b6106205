//! Random bytes and documents: nothing panics, and the quick walk writes what the exact one writes.

use proptest::prelude::*;

use crate::out::Out;
use crate::{Error, Field, Key, Leaf, Names, Node, Reason, Refused, Shape, Step, exact, quick};

fn field(key: &str, node: Node) -> Field {
    let response_key = if key.is_empty() { "__typename" } else { key };
    let (key, label) = (Key::Member(key.as_bytes().to_vec()), format!("T.{response_key}"));
    Field { key, response_key: response_key.into(), label, node }
}

fn leaf(leaf: Leaf) -> Node {
    Node::leaf(true, leaf)
}

fn object(fields: Vec<Field>) -> Node {
    Node::object(true, fields).unwrap_or_else(|_| leaf(Leaf::Json))
}

/// Returns an array's object with a field beside it, before and after one of its own.
fn joined(fields: Vec<Field>) -> Node {
    let beside = |index, name, node| Field { key: Key::Element(index), ..field(name, node) };
    let mut all = vec![beside(1, "first", object(vec![field("a", leaf(Leaf::Int))]))];
    all.extend(fields);
    all.extend([beside(2, "second", leaf(Leaf::Text)), beside(1, "again", leaf(Leaf::Json))]);
    Node::joined(object(all)).unwrap_or_else(|_| leaf(Leaf::Json))
}

/// Returns nodes that between them use every kind, in and out of the documents' order.
fn nodes() -> Vec<Node> {
    let names =
        Names::new(vec![(b"\"a\"".to_vec(), b"A".to_vec()), (b"1".to_vec(), b"B".to_vec())]);
    let id = || field("id", Node::leaf(false, Leaf::Id));
    let constant = || Node::constant(b"\"T\"".to_vec()).unwrap_or_else(|_| leaf(Leaf::Json));
    let inner = || {
        let names = vec![field("b", leaf(Leaf::Datetime)), id(), field("", constant())];
        object(names)
    };
    let aliased = Field { response_key: "other".into(), ..field("a", inner()) };
    let kinds = vec![
        (b"a".to_vec(), vec![id(), field("type", leaf(Leaf::String))]),
        (b"b".to_vec(), vec![field("b", leaf(Leaf::Text)), field("a", leaf(Leaf::Json))]),
    ];
    let abstracted = Node::by_type(true, b"type".to_vec(), kinds);
    vec![
        leaf(Leaf::Json),
        leaf(Leaf::Int),
        leaf(Leaf::Float),
        leaf(Leaf::Digits),
        leaf(Leaf::Boolean),
        names.map_or_else(|_| leaf(Leaf::Json), |names| leaf(Leaf::Enum(names))),
        Node::list(true, Node::list(true, leaf(Leaf::Int))),
        object(vec![id(), field("a", leaf(Leaf::Float)), field("b", leaf(Leaf::Digits))]),
        object(vec![field("a", inner()), field("", constant()), id(), aliased]),
        object(vec![field("b", Node::list(true, inner())), field("a", leaf(Leaf::Int))]),
        joined(vec![id(), field("b", leaf(Leaf::Digits))]),
        Node::list(true, joined(vec![field("a", joined(Vec::new()))])),
        abstracted.unwrap_or_else(|_| leaf(Leaf::Json)),
    ]
}

fn documents() -> impl Strategy<Value = String> {
    let leaves = prop_oneof![
        "null|true|false|-?(0|[1-9][0-9]{0,11})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
        "\"[a-zé\\\\u{1F600} ]{0,40}\"",
        "\"(\\\\u[0-9a-f]{4}|\\\\n|\\\\\"|x)*\"",
        "\"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?(Z|[+-][0-9]{2})?\"",
    ];
    leaves.prop_recursive(4, 24, 4, |inner| {
        let member = ("\"(id|a|b|type|x|a_long_unwanted_key)\": ?", inner.clone());
        let members = member.prop_map(|(key, value)| key + &value);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec(members, 0..5).prop_map(|all| format!("{{{}}}", all.join(", "))),
        ]
    })
}

/// Projects with both walks and checks that they do not disagree.
fn agree(row: &[u8]) -> Result<(), TestCaseError> {
    for node in nodes() {
        let mut out = Out::with_capacity(0);
        let mut work = quick::Workspace::default();
        let quick = quick::write(&node, row, &mut work, &mut out).map(|()| out.into_bytes());
        let mut out = Out::with_capacity(0);
        let mut errors: Vec<Error<'_>> = Vec::new();
        let exact = exact::write(&node, Some(row), None, &mut out, &mut errors);
        if let Some(quick) = quick {
            prop_assert_eq!(exact, Ok(true));
            prop_assert!(errors.is_empty());
            prop_assert_eq!(quick, out.into_bytes());
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn raw_bytes_never_panic(row in prop::collection::vec(any::<u8>(), 0..64)) {
        agree(&row)?;
    }

    #[test]
    fn bytes_that_resemble_json_never_panic(row in "[\\[\\]{}:,\"\\\\ 0-9eE+.tfn-]{0,40}") {
        agree(row.as_bytes())?;
    }

    #[test]
    fn the_quick_walk_writes_what_the_exact_one_writes(row in documents()) {
        agree(row.as_bytes())?;
    }

    #[test]
    fn changed_documents_never_panic(
        row in documents(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut row = row.into_bytes();
        let at = at.index(row.len() + 1);
        row.truncate(at);
        agree(&row)?;
        row.push(byte);
        agree(&row)?;
    }
}

#[test]
fn the_quick_walk_takes_what_is_in_order_and_what_is_not() {
    let node = object(vec![
        field("id", leaf(Leaf::Id)),
        field("a", object(vec![field("b", leaf(Leaf::Int))])),
        field("b", leaf(Leaf::Text)),
        field("c", leaf(Leaf::Text)),
    ]);
    let expected = br#"{"id":"1","a":{"b":2},"b":"x","c":null}"#;
    for row in [
        r#"{"id": 1, "a": {"b": 2}, "b": "x", "c": null}"#,
        r#"{"b": "x", "skipped": [{}], "a": {"b": 2}, "id": 1}"#,
    ] {
        let mut out = Out::with_capacity(0);
        let mut work = quick::Workspace::default();
        let written = quick::write(&node, row.as_bytes(), &mut work, &mut out);

        assert!(written.is_some(), "{row}");
        assert_eq!(out.into_bytes(), expected, "{row}");
    }
}

#[test]
fn the_quick_walk_takes_what_stands_beside_a_document() {
    let node = joined(vec![field("id", leaf(Leaf::Id)), field("b", leaf(Leaf::Text))]);
    let expected = br#"{"first":{"a":1},"id":"1","b":"x","second":"y","again":{"a":1}}"#;
    for row in [
        r#"[{"id": 1, "b": "x"}, {"a":1}, "y"]"#,
        r#"[ {"b": "x", "skipped": [{}], "id": 1} , {"a":1} , "y" , 3 ]"#,
    ] {
        let mut out = Out::with_capacity(0);
        let mut work = quick::Workspace::default();
        let written = quick::write(&node, row.as_bytes(), &mut work, &mut out);

        assert!(written.is_some(), "{row}");
        assert_eq!(out.into_bytes(), expected, "{row}");
    }
}

#[test]
fn errors_name_path_label_and_reason() {
    let fields = vec![field("a", Node::list(true, leaf(Leaf::Int)))];
    let shape = Shape::new(Node::list(false, object(fields)));

    let rows = [Some(&br#"{"a": [1, "x"]}"#[..])];
    let answer = shape.project_rows(&rows);

    let path = vec![Step::Index(0), Step::Key("a"), Step::Index(1)];
    let error = Error { path, label: "T.a", reason: Reason::WrongType };
    assert_eq!(answer, Ok((br#"[{"a":[1,null]}]"#.to_vec(), vec![error])));
}

#[test]
fn a_fault_names_row_and_byte() {
    let shape = Shape::new(Node::list(false, leaf(Leaf::Json)));

    let answer = shape.project_rows(&[Some("1"), None, Some("[1,]")]);

    assert_eq!(answer, Err(Refused::Malformed { row: 2, offset: 3 }));
}

#[test]
fn rows_need_a_list() {
    let shape = Shape::new(leaf(Leaf::Json));

    assert_eq!(shape.project_rows(&[Some("1")]), Err(Refused::NotAList));
}
