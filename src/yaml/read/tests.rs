use super::*;

fn parse(text: &str) -> Result<Node, Problem> {
    read(&Source::new("f.yml", text), &Limits::default()).map_err(|error| error.problem)
}

/// Line and column of each node in order of reading, keys included.
fn places(text: &str) -> Vec<(u32, u32)> {
    fn walk(node: &Node, source: &Source, places: &mut Vec<(u32, u32)>) {
        let mut add = |span: Span| {
            let position = source.position(span.start);
            places.push((position.line, position.column));
        };
        add(node.span);
        match &node.kind {
            NodeKind::Scalar(_) => {}
            NodeKind::Sequence(items) => items.iter().for_each(|item| walk(item, source, places)),
            NodeKind::Mapping(entries) => {
                for entry in entries.iter() {
                    let position = source.position(entry.key.span.start);
                    places.push((position.line, position.column));
                    walk(&entry.value, source, places);
                }
            }
        }
    }
    let source = Source::new("f.yml", text);
    let mut found = Vec::new();
    let root = read(&source, &Limits::default()).expect("valid");
    walk(&root, &source, &mut found);
    found
}

#[test]
fn a_block_scalar_stands_at_its_header() {
    assert_eq!(places("run: | # a | b\n\n  x\n"), [(1, 1), (1, 1), (1, 6)]);
    assert_eq!(places("- >-\n  x\n"), [(1, 1), (1, 3)]);
}

#[test]
fn dashes_below_their_key_start_the_sequence() {
    assert_eq!(places("a:\n- x\n"), [(1, 1), (1, 1), (2, 1), (2, 3)]);
    assert_eq!(places("a:\n  - x\n"), [(1, 1), (1, 1), (2, 3), (2, 5)]);
}

#[test]
fn an_empty_value_stands_behind_the_colon() {
    assert_eq!(
        places("a:\nb: 1\n"),
        [(1, 1), (1, 1), (1, 3), (2, 1), (2, 4)]
    );
}

#[test]
fn an_empty_item_stands_behind_the_dash() {
    let after_comment = places("-  # a: b\n- c\n");
    assert_eq!(after_comment, [(1, 1), (1, 2), (2, 3)]);
    assert_eq!(places("a: # - b\nc:\n")[2..], [(1, 3), (2, 1), (2, 3)]);
}

#[test]
fn tags_and_anchors_belong_to_the_place() {
    assert_eq!(places("a: !!str b\nc: &d e\n")[2], (1, 4));
    assert_eq!(places("a: !!str b\nc: &d e\n")[4], (2, 4));
}

#[test]
fn an_alias_repeats_the_node_and_keeps_its_place() {
    assert_eq!(
        places("a: &x [1]\nb: *x\n"),
        [(1, 1), (1, 1), (1, 4), (1, 8), (2, 1), (1, 4), (1, 8)]
    );
}

#[test]
fn the_last_definition_of_an_anchor_counts() {
    let node = parse("[&a 1, &a 2, *a]").expect("valid");
    let NodeKind::Sequence(items) = node.kind else {
        panic!("a sequence was written");
    };
    assert_eq!(items[2].kind, NodeKind::Scalar(Scalar::Number(2.0)));
}

#[test]
fn an_alias_inside_its_own_node_is_an_error() {
    assert_eq!(
        parse("&a [*a]"),
        Err(Problem::RecursiveAlias { name: "*a".into() })
    );
}

#[test]
fn an_unknown_alias_is_a_syntax_error() {
    assert!(matches!(parse("*a"), Err(Problem::Syntax(text)) if !text.is_empty()));
}

#[test]
fn an_alias_bomb_ends_at_the_cap() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let previous = format!("*a{}, ", level - 1).repeat(9);
        text.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
    }
    assert_eq!(parse(&text), Err(Problem::TooManyNodes { limit: 50_000 }));
}

#[test]
fn depth_counts_through_aliases() {
    let open = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(&open(50)).is_ok());
    assert_eq!(parse(&open(51)), Err(Problem::TooDeep));
    let through_alias = format!(
        "- &a {}\n- {}*a{}\n",
        open(40),
        "[".repeat(10),
        "]".repeat(10)
    );
    assert_eq!(parse(&through_alias), Err(Problem::TooDeep));
}

#[test]
fn hostile_files_end_in_errors() {
    assert_eq!(parse(&"[".repeat(100_000)), Err(Problem::TooDeep));
    assert!(parse(&"- ".repeat(100_000)).is_err());
    assert!(parse(&"{a: ".repeat(1000)).is_err());
    assert!(parse("a: \"unclosed").is_err());
    assert!(parse("a: b: c").is_err());
    assert!(parse("\u{0}").is_err());
}

#[test]
fn the_file_has_a_limit_of_characters() {
    assert!(parse(&"é".repeat(1024 * 1024)).is_ok());
    assert!(matches!(
        parse(&"é".repeat(1024 * 1024 + 1)),
        Err(Problem::TooLong { limit: 1_048_576 })
    ));
}

#[test]
fn collections_are_no_keys_and_a_second_document_is_none() {
    assert_eq!(parse("? [a]\n: b\n"), Err(Problem::KeyNotScalar));
    assert_eq!(parse("a: 1\n---\nb: 2\n"), Err(Problem::SecondDocument));
}

#[test]
fn an_empty_file_is_null() {
    assert_eq!(
        parse("# nothing\n").map(|node| node.kind),
        Ok(NodeKind::Scalar(Scalar::Null))
    );
}

#[test]
fn a_block_at_the_end_of_the_file_ends_as_the_file_does() {
    let value = |text: &str| {
        let NodeKind::Sequence(items) = parse(text).expect("valid").kind else {
            panic!("a sequence was written");
        };
        items[0].kind.clone()
    };
    assert_eq!(
        value("- |\n  a"),
        NodeKind::Scalar(Scalar::String("a".into()))
    );
    assert_eq!(
        value("- |\n  a\n"),
        NodeKind::Scalar(Scalar::String("a\n".into()))
    );
    // White space below it is no line of it, unless it reaches further in.
    assert_eq!(
        value("- |\n    a\n  "),
        NodeKind::Scalar(Scalar::String("a\n".into()))
    );
    assert_eq!(
        value("- |\n  a\n   "),
        NodeKind::Scalar(Scalar::String("a\n ".into()))
    );
}

#[test]
fn anchors_around_each_other_cost_no_copies() {
    let inner = "x, ".repeat(100_000);
    let open: String = (0..49).map(|level| format!("&a{level} [")).collect();
    let text = format!("{open}&z [{inner}]{}", "]".repeat(49));
    assert!(parse(&text).is_ok());
}

/// Calls `visit` with every node of a tree; keys as nodes of their own.
fn for_each_node(node: &Node, visit: &mut dyn FnMut(&Node)) {
    visit(node);
    match &node.kind {
        NodeKind::Scalar(_) => {}
        NodeKind::Sequence(items) => items.iter().for_each(|item| for_each_node(item, visit)),
        NodeKind::Mapping(entries) => {
            for Entry { key, value } in entries.iter() {
                let kind = NodeKind::Scalar(key.value.clone());
                visit(&Node {
                    span: key.span,
                    kind,
                });
                for_each_node(value, visit);
            }
        }
    }
}

#[test]
fn a_comment_may_follow_a_bracket_or_a_quote_directly() {
    assert_eq!(
        places("- [a]# b, é]\n- c\n"),
        places("- [a] # b, e]\n- c\n")
    );
    assert!(parse("- [a]#b\n- {c: d}#e\n").is_ok());
    assert_eq!(places("- 'a'#b\n"), places("- 'a'\n"));
    assert_eq!(places("[a,#b\n \"c\"#d\n]#e\n"), places("[a,\n \"c\"\n]\n"));
    assert!(parse(&"- []#\n".repeat(1000)).is_err());
}

#[test]
fn a_tab_stands_nowhere_where_a_key_could() {
    for text in [
        "a:\n  -\tb: c\n",
        "\ta: b\n",
        "a: 'b'\n\t\nc: d\n",
        "a: b\n\t\nc: d\n",
        "a: b\n\t",
        "a: b\n\tc\n",
        "a:\n\tb\n",
        "a: |\n  x\n \t\n  y\n",
        "a: |\n  \tx\n",
        "a:\n- |\n  x\n\t\n- c\n",
        "a:\n- |\n    x\n  \t\n- c\n",
        "a:\n- b\n\t\n- c\n",
    ] {
        assert!(parse(text).is_err(), "{text:?}");
    }
    for text in [
        "a:\tb\t# c\n",
        "a: b\tc\n",
        "a: \"b\n \tc\"\n",
        "a: [\n \tb,\tc\t]\n",
        "a: |\n  x\n  \ty\n   \t\n",
        "a: |1\n \tx\n",
        "a: b\n  \t\n  c\n",
        "# \t\na: b # \t\n",
    ] {
        assert!(parse(text).is_ok(), "{text:?}");
    }
}

#[test]
fn an_end_needs_a_document() {
    assert!(parse("# a\n...\nb: c\n").is_err());
    assert!(parse("--- a\n...\n").is_ok());
}

proptest::proptest! {
    #[test]
    fn places_of_any_file_lie_in_it(text in "([a1é~,?%] ?|[-:#&*!|>\\[\\]{}'\"\n] ?|\n  ?|a: |- |: \\|\n  ){0,40}") {
        let source = Source::new("f.yml", text.as_str());
        let is_place = |at: usize| source.text.is_char_boundary(at);
        match read(&source, &Limits::default()) {
            Err(error) => assert!(is_place(error.span.start) && is_place(error.span.end)),
            Ok(root) => for_each_node(&root, &mut |node| {
                assert!(node.span.start <= node.span.end);
                assert!(is_place(node.span.start) && is_place(node.span.end));
                if let NodeKind::Scalar(Scalar::String(value)) = &node.kind {
                    for offset in 0..=value.len() {
                        let at = crate::yaml::locate(&source, node.span, value, offset);
                        assert!(is_place(at) && at >= node.span.start && at <= node.span.end);
                    }
                }
            }),
        }
    }
}
