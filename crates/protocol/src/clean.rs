//! The taming of text from outside.

/// Text from workers and parameters on one line, without control characters and without those that turn the
/// direction of the text around them.
pub fn clean(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control() && !turns(*c)).collect()
}

/// The bidirectional formatting characters of Unicode (UAX #9, 2).
fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_line_breaks_are_taken_out() {
        assert_eq!(clean("a\nb\t\x1b[31mred\x07 | x"), "a b [31mred | x");
        assert_eq!(clean("user\u{202e}nimda"), "usernimda");
    }
}
