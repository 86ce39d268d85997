//! Parser events → nodes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::iter::Peekable;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle, Tag};

use super::error::{Error, Problem};
use super::node::{Entry, Node, NodeKind, Scalar};
use super::scalar::{self, is_block};
use super::tabs;
use crate::source::{Located, Source, Span};

/// What a file may cost (`ParseOptions.cs` in actions/runner).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Characters of the file.
    pub characters: usize,
    /// Levels of collections in each other, also through aliases.
    pub depth: usize,
    /// Nodes that all aliases together stand for.
    pub replayed_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            characters: 1024 * 1024,
            depth: 50,
            replayed_nodes: 50_000,
        }
    }
}

/// Reads the one document of a file; an empty file is null. The first thing wrong ends it, as on GitHub.
pub fn read(source: &Source, limits: &Limits) -> Result<Node, Error> {
    if source.text.chars().count() > limits.characters {
        return Err(Error {
            span: Span::default(),
            problem: Problem::TooLong {
                limit: limits.characters,
            },
        });
    }
    let mut text = Cow::Borrowed(source.text.as_str());
    for _ in 0..GLUED_COMMENTS {
        match read_text(source, &text, limits) {
            Err(error) if is_glued_comment(&error, &text) => {
                text = Cow::Owned(without_comment(&text, error.span.start));
            }
            read => return read,
        }
    }
    read_text(source, &text, limits)
}

/// Reads the text of a file; `source` is the file as it was written, of the same length.
fn read_text(source: &Source, text: &str, limits: &Limits) -> Result<Node, Error> {
    let options = granit_parser::options! { emit_anchor_events: true };
    Builder {
        source,
        limits,
        events: Parser::new_from_str_with_options(text, options).peekable(),
        anchors: HashMap::new(),
        replayed: 0,
        last_end: 0,
        last_empty: 0,
        columns: Vec::new(),
        brackets: 0,
        plain_indent: None,
    }
    .document()
}

/// How many comments directly behind a token are let pass: each costs a reading of the file.
const GLUED_COMMENTS: usize = 100;

/// YAML wants white space before a comment. GitHub's parser does without after a bracket, a quote
/// or a comma, and workflows rely on it.
fn is_glued_comment(error: &Error, text: &str) -> bool {
    let (before, from) = text.split_at(error.span.start);
    let is_syntax = matches!(error.problem, Problem::Syntax(_));
    is_syntax && from.starts_with('#') && before.ends_with([']', '}', '\'', '"', ','])
}

/// The text with spaces for a comment: every place in it stays what it was.
fn without_comment(text: &str, start: usize) -> String {
    let (before, from) = text.split_at(start);
    let (comment, after) = from.split_at(from.find('\n').unwrap_or(from.len()));
    format!("{before}{}{after}", " ".repeat(comment.len()))
}

type ParserSpan = granit_parser::Span;

/// What aliases of an anchored node need: itself, how many nodes it has and how deep it is.
struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

/// A node's event, with the place GitHub names for it.
struct Start<'s> {
    event: Event<'s>,
    span: ParserSpan,
    /// Its tag, its anchor, its block header or its text: what comes first.
    start: usize,
    anchor: usize,
}

struct Builder<'s, E: Iterator> {
    source: &'s Source,
    limits: &'s Limits,
    events: Peekable<E>,
    /// By the parser's id. A node is in here once it is complete.
    anchors: HashMap<usize, Anchored>,
    replayed: usize,
    /// The end of the last token with text of its own: block headers and dashes are found after it.
    last_end: usize,
    /// Where the last empty value stands.
    last_empty: usize,
    /// The columns of the block collections around what comes next.
    columns: Vec<usize>,
    /// How many brackets are open.
    brackets: usize,
    /// After a plain scalar: how many spaces a further line of it would have.
    plain_indent: Option<usize>,
}

impl<'s, E> Builder<'s, E>
where
    E: Iterator<Item = Result<(Event<'s>, ParserSpan), ScanError>>,
{
    fn document(mut self) -> Result<Node, Error> {
        let mut root = None;
        while let Some((event, span)) = self.peek()? {
            match event {
                Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => self.skip()?,
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(fail(bytes(&span), Problem::SecondDocument));
                }
                Event::DocumentStart(..) => {
                    self.refuse_end_before(span.start.byte_offset().unwrap_or_default())?;
                    self.skip()?;
                }
                _ => root = Some(self.node(0, None)?),
            }
        }
        Ok(root.unwrap_or(Node {
            span: Span::default(),
            kind: NodeKind::Scalar(Scalar::Null),
        }))
    }

    /// A `...` ends a document: there is none yet.
    fn refuse_end_before(&self, start: usize) -> Result<(), Error> {
        let mut at = 0;
        for line in self.source.text[..start].split_inclusive('\n') {
            if line.starts_with("...") {
                let problem = "While parsing a node, did not find expected node content.";
                let span = Span {
                    start: at,
                    end: at + 3,
                };
                return Err(fail(span, Problem::Syntax(problem.to_owned())));
            }
            at += line.len();
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Option<(Event<'s>, ParserSpan)>, Error> {
        match self.events.peek() {
            None => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event.clone(), *span))),
            Some(Err(error)) => Err(syntax(self.source, error)),
        }
    }

    fn next(&mut self) -> Result<(Event<'s>, ParserSpan), Error> {
        match self.events.next() {
            Some(Ok((event, span))) => {
                self.refuse_tabs(&event, bytes(&span))?;
                Ok((event, span))
            }
            Some(Err(error)) => Err(syntax(self.source, &error)),
            None => Err(fail(
                Span {
                    start: self.source.text.len(),
                    end: self.source.text.len(),
                },
                Problem::Syntax("unexpected end of file".to_owned()),
            )),
        }
    }

    /// Looks at what was written before a token and in it, and notes where it ends.
    fn refuse_tabs(&mut self, event: &Event<'s>, span: Span) -> Result<(), Error> {
        let text = &self.source.text;
        let is_end = matches!(event, Event::StreamEnd);
        let has_text = match event {
            Event::Anchor(..) => false,
            // Without `---` its span is that of what comes next.
            Event::DocumentStart(explicit, _) => *explicit,
            // One without lines has its header.
            Event::Scalar(_, style, ..) if is_block(*style) => true,
            _ => span.end > span.start || is_end,
        };
        if !has_text {
            self.note(event, span);
            return Ok(());
        }
        let start = match event {
            Event::Scalar(_, style, ..) if is_block(*style) => {
                self.seek(self.last_end, &['|', '>']).unwrap_or(span.start)
            }
            _ if is_end => text.len(),
            _ => span.start,
        };
        if self.brackets == 0
            && let Some(gap) = text.get(self.last_end..start)
            && let Some(tab) = tabs::between(gap, self.plain_indent, self.is_in_indentation())
        {
            return Err(tab_error(&tab, self.last_end));
        }
        self.plain_indent = None;
        if let Event::Scalar(_, style, ..) = event
            && self.brackets == 0
        {
            self.refuse_tabs_in_scalar(*style, start, span)?;
        }
        self.last_end = match event {
            Event::Scalar(_, style, ..) if is_block(*style) => span.end.max(start + 1),
            _ => span.end,
        };
        self.note(event, span);
        Ok(())
    }

    /// A block ends where the next line begins, or in its indentation.
    fn is_in_indentation(&self) -> bool {
        let line = self.source.text[..self.last_end].rsplit('\n').next();
        line.is_some_and(|line| line.bytes().all(|byte| byte == b' '))
    }

    fn refuse_tabs_in_scalar(
        &mut self,
        style: ScalarStyle,
        start: usize,
        span: Span,
    ) -> Result<(), Error> {
        let written = self.source.text.get(start..span.end).unwrap_or_default();
        let tab = match style {
            ScalarStyle::Plain => {
                let indent = self.columns.last().map_or(0, |column| column + 1);
                self.plain_indent = Some(indent);
                tabs::in_plain(written, indent).map(|tab| (tab, start))
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let (header, lines) = written.split_once('\n').unwrap_or((written, ""));
                let outer = self.columns.last().copied().unwrap_or_default();
                let header_end = header.find('#').unwrap_or(header.len());
                let indent = header[..header_end].chars().find_map(|c| c.to_digit(10));
                let indent = indent.map(|indent| outer + indent as usize);
                let lines_start = span.end - lines.len();
                tabs::in_block(lines, indent).map(|tab| (tab, lines_start))
            }
            _ => None,
        };
        tab.map_or(Ok(()), |(tab, start)| Err(tab_error(&tab, start)))
    }

    fn column(&self, at: usize) -> usize {
        self.source.position(at).column as usize - 1
    }

    /// Keeps the columns of blocks and the number of open brackets.
    fn note(&mut self, event: &Event<'s>, span: Span) {
        match event {
            Event::SequenceStart(StructureStyle::Block, ..)
            | Event::MappingStart(StructureStyle::Block, ..) => {
                // Dashes that stand below their key have its column, and the parser names the first item.
                let column = match self.source.text.as_bytes().get(span.start) {
                    Some(b'-') | None => self.column(span.start),
                    Some(_) if matches!(event, Event::MappingStart(..)) => self.column(span.start),
                    Some(_) => self.columns.last().copied().unwrap_or_default(),
                };
                self.columns.push(column);
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => self.brackets += 1,
            Event::SequenceEnd | Event::MappingEnd if self.brackets > 0 => self.brackets -= 1,
            Event::SequenceEnd | Event::MappingEnd => drop(self.columns.pop()),
            _ => {}
        }
    }

    fn skip(&mut self) -> Result<(), Error> {
        self.next().map(drop)
    }

    /// Reads the node that begins with the next event. `after_key`: the node is the value of a block mapping's key.
    fn node(&mut self, depth: usize, after_key: Option<usize>) -> Result<Node, Error> {
        let begin = self.begin(after_key)?;
        let anchor = begin.anchor;
        if let Event::Alias(id) = begin.event {
            return self.replay(id, bytes(&begin.span), depth);
        }
        let node = match begin.event {
            Event::Scalar(ref text, style, _, ref tag) => {
                self.scalar(text, style, tag.as_deref(), &begin)?
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if depth == self.limits.depth => {
                return Err(fail(bytes(&begin.span), Problem::TooDeep));
            }
            Event::SequenceStart(..) => self.sequence(begin.start, depth + 1)?,
            Event::MappingStart(style, ..) => self.mapping(begin.start, style, depth + 1)?,
            _ => {
                let problem = Problem::Syntax("a value was expected".to_owned());
                return Err(fail(bytes(&begin.span), problem));
            }
        };
        if anchor != 0 {
            let (nodes, depth) = measure(&node);
            let anchored = Anchored {
                node: node.clone(),
                nodes,
                depth,
            };
            self.anchors.insert(anchor, anchored);
        }
        Ok(node)
    }

    fn begin(&mut self, after_key: Option<usize>) -> Result<Start<'s>, Error> {
        let last_end = self.last_end;
        let (event, span) = self.next()?;
        let mut start = bytes(&span).start;
        match &event {
            Event::Scalar(_, style, ..) if is_block(*style) => {
                start = self.seek(last_end, &['|', '>']).unwrap_or(start);
            }
            Event::SequenceStart(StructureStyle::Block, ..) => {
                // The parser names the first item when the dashes stand below their key without indentation.
                start = after_key
                    .and_then(|end| self.seek(end, &['-']))
                    .unwrap_or(start);
            }
            // An empty value stands behind the colon or the dash.
            Event::Scalar(..) if bytes(&span).end == start && self.brackets == 0 => {
                start = self.behind_indicator(last_end.max(self.last_empty), start);
                self.last_empty = start;
            }
            Event::Scalar(..) if bytes(&span).end == start && self.is_colon(start) => start += 1,
            _ => {}
        }
        if let Some(tag) = span.tag_start.and_then(|marker| marker.byte_offset()) {
            start = start.min(tag);
        }
        let mut anchor = 0;
        if let Some((Event::Anchor(id, _), at)) = self.peek()? {
            self.skip()?;
            anchor = id;
            start = start.min(bytes(&at).start);
        }
        Ok(Start {
            event,
            span,
            start,
            anchor,
        })
    }

    /// The first of `wanted` after a token, over white space, comments, indicators, tags and anchors.
    fn seek(&self, from: usize, wanted: &[char]) -> Option<usize> {
        let mut rest = self.source.text.get(from..)?;
        loop {
            let first = rest.chars().next()?;
            if wanted.contains(&first) {
                return Some(self.source.text.len() - rest.len());
            }
            rest = match first {
                '#' => rest.trim_start_matches(|c| c != '\n'),
                '&' | '!' => rest.trim_start_matches(|c: char| !c.is_whitespace()),
                ':' | '-' | '?' | ',' | '[' | '{' => &rest[1..],
                _ if first.is_whitespace() => rest.trim_start(),
                _ => return None,
            };
        }
    }

    /// Where the last indicator between a token and an empty value ends, which the parser may only name behind a comment.
    fn behind_indicator(&self, from: usize, empty: usize) -> usize {
        let end = empty + usize::from(self.is_colon(empty));
        let mut rest = self.source.text.get(from..end).unwrap_or_default();
        let mut behind = end;
        while let Some(first) = rest.chars().next() {
            let mut length = first.len_utf8();
            match first {
                ':' | '-' | '?' => behind = end - rest.len() + 1,
                '#' => length = rest.find('\n').unwrap_or(rest.len()),
                _ => {}
            }
            rest = &rest[length..];
        }
        behind
    }

    fn is_colon(&self, at: usize) -> bool {
        self.source.text.as_bytes().get(at) == Some(&b':')
    }

    fn replay(&mut self, id: usize, span: Span, depth: usize) -> Result<Node, Error> {
        let Some(anchored) = self.anchors.get(&id) else {
            let name = self.source.text[span.start..span.end].to_owned();
            return Err(fail(span, Problem::RecursiveAlias { name }));
        };
        if depth + anchored.depth > self.limits.depth {
            return Err(fail(span, Problem::TooDeep));
        }
        self.replayed += anchored.nodes;
        if self.replayed > self.limits.replayed_nodes {
            let limit = self.limits.replayed_nodes;
            return Err(fail(span, Problem::TooManyNodes { limit }));
        }
        Ok(anchored.node.clone())
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        begin: &Start<'s>,
    ) -> Result<Node, Error> {
        let (start, end) = (begin.start, bytes(&begin.span).end.max(begin.start));
        let span = Span { start, end };
        // The parser ends the last line of a block even where the file does not.
        let is_last = is_block(style) && end == self.source.text.len();
        let text = match text.strip_suffix('\n') {
            Some(unended) if is_last && self.ends_in(unended) => unended,
            _ => text,
        };
        let value = scalar::typed(text, style, tag)
            .map_err(|problem| fail(span, problem.at(text, style, self.source.position(start))))?;
        Ok(Node {
            span,
            kind: NodeKind::Scalar(value),
        })
    }

    /// Whether the file's last line has no end, and is the last of a block's text: white space below the block is not.
    fn ends_in(&self, block: &str) -> bool {
        let line = self.source.text.rsplit('\n').next().unwrap_or_default();
        let is_blank = line.bytes().all(|byte| byte == b' ');
        !line.is_empty() && (!is_blank || block.ends_with(' '))
    }

    fn sequence(&mut self, start: usize, depth: usize) -> Result<Node, Error> {
        let mut items = Vec::new();
        while !matches!(self.peek()?, Some((Event::SequenceEnd, _))) {
            items.push(self.node(depth, None)?);
        }
        let (_, span) = self.next()?;
        Ok(Node {
            span: Span {
                start,
                end: bytes(&span).end,
            },
            kind: NodeKind::Sequence(items.into()),
        })
    }

    fn mapping(
        &mut self,
        start: usize,
        style: StructureStyle,
        depth: usize,
    ) -> Result<Node, Error> {
        let mut entries = Vec::new();
        while !matches!(self.peek()?, Some((Event::MappingEnd, _))) {
            let key = self.node(depth, None)?;
            let NodeKind::Scalar(scalar) = key.kind else {
                return Err(fail(key.span, Problem::KeyNotScalar));
            };
            let after_key = (style == StructureStyle::Block).then_some(self.last_end);
            entries.push(Entry {
                key: Located::new(scalar, key.span),
                value: self.node(depth, after_key)?,
            });
        }
        let (_, span) = self.next()?;
        Ok(Node {
            span: Span {
                start,
                end: bytes(&span).end,
            },
            kind: NodeKind::Mapping(entries.into()),
        })
    }
}

fn fail(span: Span, problem: Problem) -> Error {
    Error { span, problem }
}

fn tab_error(tab: &tabs::Tab, from: usize) -> Error {
    let at = from + tab.at;
    let span = Span {
        start: at,
        end: at + 1,
    };
    fail(span, tab.problem())
}

fn syntax(source: &Source, error: &ScanError) -> Error {
    let start = error.marker().byte_offset().unwrap_or(source.text.len());
    let problem = match error.kind() {
        ErrorKind::RecursionLimitExceeded => Problem::TooDeep,
        _ => Problem::Syntax(error.info()),
    };
    fail(Span { start, end: start }, problem)
}

fn bytes(span: &ParserSpan) -> Span {
    let range = span.byte_range().unwrap_or_default();
    Span {
        start: range.start,
        end: range.end,
    }
}

/// How many nodes a tree has and how many levels of collections.
fn measure(node: &Node) -> (usize, usize) {
    let inside = |children: &mut dyn Iterator<Item = &Node>| {
        children.fold((1, 1), |(nodes, depth), child| {
            let (more, deep) = measure(child);
            (nodes + more, depth.max(deep + 1))
        })
    };
    match &node.kind {
        NodeKind::Scalar(_) => (1, 0),
        NodeKind::Sequence(items) => inside(&mut items.iter()),
        NodeKind::Mapping(entries) => inside(&mut entries.iter().map(|entry| &entry.value)),
    }
}

#[cfg(test)]
mod tests;
