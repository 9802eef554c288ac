//! Components that no compiler of safe code makes: others, with some bytes changed.

const COMPONENT_MODULE: u8 = 1;
const TABLES: u8 = 4;
const CODE: u8 = 10;

/// The component with one text of its data replaced by as many bytes that are no text.
///
/// # Panics
/// If the text is not in it.
pub fn garbled(component: &[u8], text: &str) -> Vec<u8> {
    let mut bytes = component.to_vec();
    let mut found = 0;
    for at in 0..=bytes.len() - text.len() {
        if bytes[at..].starts_with(text.as_bytes()) {
            bytes[at..at + text.len()].fill(0xff);
            found += 1;
        }
    }
    assert!(found > 0, "`{text}` is not in the component");
    bytes
}

/// The component with its memory's growth by this many pages replaced by a table's growth by this
/// many elements.
///
/// # Panics
/// If nothing in it grows so.
pub fn growing_tables(component: &[u8], by: u32) -> Vec<u8> {
    let delta = [&[0x41], &signed(by)[..]].concat();
    // `i32.const`, `memory.grow`; `ref.null func`, `i32.const`, `table.grow`.
    let memory = [&delta[..], &[0x40, 0]].concat();
    let table = [&[0xd0, 0x70], &delta[..], &[0xfc, 15, 0]].concat();
    let mut found = 0;
    let grows = |module: &[u8]| module.windows(memory.len()).any(|code| code == memory);
    let bytes = rewrite(component, |id, module| match id {
        COMPONENT_MODULE if grows(module) => Some(rewrite(module, |id, section| match id {
            TABLES => Some(without_maximum(section)),
            CODE => Some(each_body(section, |body| {
                let (replaced, count) = replace(body, &memory, &table);
                found += count;
                replaced
            })),
            _ => None,
        })),
        _ => None,
    });
    assert!(found > 0, "nothing grows by {by}");
    bytes
}

/// A component or a module with the content of its sections changed; `None` leaves one as it is.
fn rewrite(bytes: &[u8], mut change: impl FnMut(u8, &[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let (preamble, mut rest) = bytes.split_at(8);
    let mut out = preamble.to_vec();
    while let Some((id, after)) = rest.split_first() {
        rest = after;
        let size = number(&mut rest);
        let (content, after) = rest.split_at(size);
        rest = after;
        let changed = change(*id, content);
        let content = changed.as_deref().unwrap_or(content);
        out.push(*id);
        out.extend(unsigned(content.len()));
        out.extend_from_slice(content);
    }
    out
}

/// The one table of functions, which may grow as far as it is let.
fn without_maximum(mut section: &[u8]) -> Vec<u8> {
    let tables = number(&mut section);
    let (kind, has_maximum) = (section[0], section[1]);
    assert!(
        tables == 1 && kind == 0x70 && has_maximum <= 1,
        "a table that is expected"
    );
    section = &section[2..];
    let minimum = number(&mut section);
    [&[1, 0x70, 0], &unsigned(minimum)[..]].concat()
}

fn each_body(mut section: &[u8], mut change: impl FnMut(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let count = number(&mut section);
    let mut out = unsigned(count);
    for _ in 0..count {
        let size = number(&mut section);
        let (body, rest) = section.split_at(size);
        section = rest;
        let body = change(body);
        out.extend(unsigned(body.len()));
        out.extend(body);
    }
    out
}

fn replace(body: &[u8], from: &[u8], to: &[u8]) -> (Vec<u8>, u32) {
    let (mut out, mut rest, mut count) = (Vec::new(), body, 0);
    while let Some(first) = rest.first() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            (rest, count) = (after, count + 1);
        } else {
            out.push(*first);
            rest = &rest[1..];
        }
    }
    (out, count)
}

/// Takes a number in LEB128 off.
fn number(bytes: &mut &[u8]) -> usize {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().expect("a number");
        *bytes = rest;
        number |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return number;
        }
    }
}

fn unsigned(mut number: usize) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).expect("7 bits");
        number >>= 7;
        if number == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

/// A number that is not negative, as a signed one.
fn signed(number: u32) -> Vec<u8> {
    let mut out = unsigned(number as usize);
    if let Some(last) = out.last_mut()
        && *last & 0x40 != 0
    {
        *last |= 0x80;
        out.push(0);
    }
    out
}
