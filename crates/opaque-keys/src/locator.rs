//! The body of `-v1` keys: `[org+course+run][+branch@B][+version@V][+ccx@N][+type@T][+block@I]`
//! (courseware.md §1.2).

use std::borrow::Cow;

use crate::text::{all_of, is_id_char, is_name_char};

/// The parts of a locator body as written, checked for their characters only.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Locator<'a> {
    pub org: Option<&'a str>,
    pub course: Option<&'a str>,
    pub run: Option<&'a str>,
    pub branch: Option<&'a str>,
    /// Lower-case hex digits of any count.
    pub version: Option<Cow<'a, str>>,
    pub ccx: Option<&'a str>,
    pub block_type: Option<&'a str>,
    pub block_id: Option<&'a str>,
}

/// Which of the two grammars a body follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// Courses, libraries, blocks, assets. A block id may hold `%`; whether the key takes it is seen later.
    Plain,
    /// Custom courses: `ccx@` is required, markers and hex digits ignore case, no `%`.
    Ccx,
}

/// Parts in their order; each may come once.
const MARKERS: [&str; 5] = ["branch", "version", "ccx", "type", "block"];

/// Reads a locator body, or `None` when it follows no grammar.
pub(crate) fn read(body: &str, grammar: Grammar) -> Option<Locator<'_>> {
    let mut locator = Locator::default();
    let mut next_marker = 0;
    let mut plain = 0;
    // An empty body matches the plain grammar: all of its parts are optional.
    let tokens = (!body.is_empty()).then(|| body.split('+'));
    for token in tokens.into_iter().flatten() {
        let Some((marker, value)) = token.split_once('@') else {
            // org, course and run come first.
            let slot = match (plain, next_marker) {
                (0, 0) => &mut locator.org,
                (1, 0) => &mut locator.course,
                (2, 0) => &mut locator.run,
                _ => return None,
            };
            *slot = all_of(token, is_id_char).then_some(token);
            slot.as_ref()?;
            plain += 1;
            continue;
        };
        let index = MARKERS.iter().position(|known| match grammar {
            Grammar::Plain => *known == marker && *known != "ccx",
            Grammar::Ccx => eq_ignore_case(known, marker),
        })?;
        if index < next_marker {
            return None;
        }
        next_marker = index + 1;
        let id = |allowed: fn(char) -> bool| all_of(value, allowed).then_some(value);
        match index {
            0 => locator.branch = Some(id(is_id_char)?),
            1 => locator.version = Some(hex(value, grammar)?),
            2 => locator.ccx = Some(all_of(value, is_decimal).then_some(value)?),
            3 => locator.block_type = Some(id(is_id_char)?),
            _ => {
                let allowed = if grammar == Grammar::Ccx {
                    is_id_char
                } else {
                    is_name_char
                };
                locator.block_id = Some(id(allowed)?);
            }
        }
    }
    if plain == 1 || (grammar == Grammar::Ccx && locator.ccx.is_none()) {
        return None;
    }
    Some(locator)
}

fn hex(value: &str, grammar: Grammar) -> Option<Cow<'_, str>> {
    match grammar {
        Grammar::Plain => all_of(value, |c| c.is_ascii_digit() || matches!(c, 'a'..='f'))
            .then_some(Cow::Borrowed(value)),
        Grammar::Ccx => {
            all_of(value, |c| c.is_ascii_hexdigit()).then(|| Cow::Owned(value.to_ascii_lowercase()))
        }
    }
}

/// Python's case-blind match: beyond ASCII, `ſ` is an `s` and the Kelvin sign a `k`.
fn eq_ignore_case(ascii: &str, text: &str) -> bool {
    let folded = text.chars().map(|c| match c {
        'ſ' => 's',
        '\u{212A}' => 'k',
        c => c.to_ascii_lowercase(),
    });
    ascii.chars().eq(folded)
}

/// Python's `\d`: decimal digits of any script. The ranges hold ten digits each.
fn is_decimal(c: char) -> bool {
    // char::is_numeric is broader, so it serves as the cheap first check only.
    c.is_ascii_digit() || (c.is_numeric() && decimal_value(c).is_some())
}

/// The value of a decimal digit of any script, as Python's `int` reads it; `None` for other characters.
#[must_use]
pub fn decimal_value(c: char) -> Option<u32> {
    /// First digits of the scripts' decimal ranges (Unicode 14).
    const ZEROS: [u32; 66] = [
        0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66,
        0xDE6, 0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
        0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
        0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0,
        0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60,
        0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950,
    ];
    let code = u32::from(c);
    if (0x1FBF0..=0x1FBF9).contains(&code) {
        return Some(code - 0x1FBF0);
    }
    let index = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    let value = code - ZEROS.get(index)?;
    (value < 10).then_some(value)
}
