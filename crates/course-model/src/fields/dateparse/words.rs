//! The words that dates hold.

pub(super) fn among(token: &str, words: &[&str]) -> bool {
    words.contains(&token.to_lowercase().as_str())
}

pub(super) fn position(token: &str, groups: &[&[&str]]) -> Option<usize> {
    let token = token.to_lowercase();
    groups
        .iter()
        .position(|words| words.contains(&token.as_str()))
}

pub(super) fn is_jump(token: &str) -> bool {
    among(
        token,
        &[
            " ", ".", ",", ";", "-", "/", "'", "at", "on", "and", "ad", "m", "t", "of", "st", "nd",
            "rd", "th",
        ],
    )
}

pub(super) fn weekday(token: &str) -> Option<u32> {
    const DAYS: [&[&str]; 7] = [
        &["mon", "monday"],
        &["tue", "tuesday"],
        &["wed", "wednesday"],
        &["thu", "thursday"],
        &["fri", "friday"],
        &["sat", "saturday"],
        &["sun", "sunday"],
    ];
    position(token, &DAYS).map(|index| index as u32)
}

pub(super) fn month(token: &str) -> Option<i64> {
    const MONTHS: [&[&str]; 12] = [
        &["jan", "january"],
        &["feb", "february"],
        &["mar", "march"],
        &["apr", "april"],
        &["may"],
        &["jun", "june"],
        &["jul", "july"],
        &["aug", "august"],
        &["sep", "sept", "september"],
        &["oct", "october"],
        &["nov", "november"],
        &["dec", "december"],
    ];
    position(token, &MONTHS).map(|index| index as i64 + 1)
}

/// Hour, minute or second labels: 0, 1, 2.
pub(super) fn hms(token: &str) -> Option<usize> {
    const LABELS: [&[&str]; 3] = [
        &["h", "hour", "hours"],
        &["m", "minute", "minutes"],
        &["s", "second", "seconds"],
    ];
    position(token, &LABELS)
}

/// 0 for am, 1 for pm.
pub(super) fn ampm(token: &str) -> Option<usize> {
    position(token, &[&["am", "a"], &["pm", "p"]])
}

pub(super) fn is_utc(token: &str) -> bool {
    among(token, &["utc", "gmt", "z"])
}
