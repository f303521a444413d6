//! From a text to tokens.

use super::ConditionError;

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token {
    /// An identifier or a keyword.
    Word(String),
    /// A name in backticks: only for fields.
    Quoted(String),
    /// Without its sign.
    Int(u64),
    Uint(u64),
    Double(f64),
    Text(String),
    Sign(&'static str),
    End,
}

/// A token and where it begins. In bytes.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// The longer ones first.
const SIGNS: [&str; 27] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")",
    "[", "]", "{", "}", "=", "&", "|",
];

pub(super) fn error_at(text: &str, at: usize, problem: impl Into<String>) -> ConditionError {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
    ConditionError {
        line: 1 + before.matches('\n').count(),
        column: 1 + line.chars().count(),
        problem: problem.into(),
    }
}

/// All tokens, with [`Token::End`] last.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, ConditionError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut found = Vec::new();
    loop {
        lexer.skip();
        let at = lexer.at;
        let token = lexer
            .token()
            .map_err(|problem| error_at(text, lexer.at.max(at), problem))?;
        let is_end = token == Token::End;
        found.push(Placed { token, at });
        if is_end {
            return Ok(found);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// White space and comments.
    fn skip(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    fn token(&mut self) -> Result<Token, String> {
        let Some(first) = self.peek() else {
            return Ok(Token::End);
        };
        let mut next = self.rest().chars().skip(1);
        let second = next.next();
        match (first, second) {
            ('0'..='9', _) | ('.', Some('0'..='9')) => self.number(),
            ('"' | '\'', _) => self.text(false).map(Token::Text),
            ('r' | 'R', Some('"' | '\'')) => {
                self.take();
                self.text(true).map(Token::Text)
            }
            ('b' | 'B', Some('"' | '\'')) => Err("bytes are not supported here".into()),
            ('`', _) => {
                self.take();
                let name = self.take_while(|c| c != '`' && c != '\n').to_owned();
                match self.take() {
                    Some('`') if !name.is_empty() => Ok(Token::Quoted(name)),
                    _ => Err("a name in backticks is empty or not closed".into()),
                }
            }
            (c, _) if c.is_ascii_alphabetic() || c == '_' => Ok(Token::Word(
                self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
                    .to_owned(),
            )),
            _ => {
                let sign = SIGNS.iter().find(|sign| self.rest().starts_with(**sign));
                let sign = sign.ok_or("a character that means nothing here")?;
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
        }
    }

    fn number(&mut self) -> Result<Token, String> {
        let too_large = || "a number that is too large".to_owned();
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            let digits = self.take_while(|c| c.is_ascii_hexdigit());
            let value = u64::from_str_radix(digits, 16).map_err(|_| too_large())?;
            return self.integer(value);
        }
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit());
        let mut next = self.rest().chars().skip(1);
        let mut is_double = false;
        if self.peek() == Some('.') && next.next().is_some_and(|c| c.is_ascii_digit()) {
            is_double = true;
            self.take();
            self.take_while(|c| c.is_ascii_digit());
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            is_double = true;
            self.take();
            if matches!(self.peek(), Some('+' | '-')) {
                self.take();
            }
            if self.take_while(|c| c.is_ascii_digit()).is_empty() {
                return Err("a number without an exponent after `e`".into());
            }
        }
        let digits = &self.text[start..self.at];
        if is_double {
            let value: f64 = digits.parse().map_err(|_| too_large())?;
            return if value.is_finite() {
                self.end_of_number(Token::Double(value))
            } else {
                Err(too_large())
            };
        }
        let value = digits.parse().map_err(|_| too_large())?;
        self.integer(value)
    }

    fn integer(&mut self, value: u64) -> Result<Token, String> {
        let token = if matches!(self.peek(), Some('u' | 'U')) {
            self.take();
            Token::Uint(value)
        } else {
            Token::Int(value)
        };
        self.end_of_number(token)
    }

    fn end_of_number(&self, token: Token) -> Result<Token, String> {
        match self.peek() {
            Some(c) if c.is_ascii_alphanumeric() || c == '_' => Err("a letter follows a number".into()),
            _ => Ok(token),
        }
    }

    fn text(&mut self, raw: bool) -> Result<String, String> {
        let quote = self.take().unwrap_or('"');
        let triple: String = [quote; 2].iter().collect();
        let is_long = self.rest().starts_with(&triple);
        if is_long {
            self.at += 2;
        }
        let end: String = std::iter::repeat_n(quote, if is_long { 3 } else { 1 }).collect();
        let mut found = String::new();
        loop {
            if self.rest().starts_with(&end) {
                self.at += end.len();
                return Ok(found);
            }
            match self.take() {
                None => return Err("a text is not closed".into()),
                Some('\n') if !is_long => return Err("a text is not closed on its line".into()),
                Some('\\') if !raw => found.push(self.escape()?),
                Some('\\') => {
                    found.push('\\');
                    // A quote after it does not end the text.
                    found.extend(self.take());
                }
                Some(c) => found.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let unknown = || "an escape after `\\` that is not known".to_owned();
        let c = self.take().ok_or_else(unknown)?;
        Ok(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '\\' | '"' | '\'' | '`' | '?' => c,
            'x' | 'X' => self.code(2, 16)?,
            'u' => self.code(4, 16)?,
            'U' => self.code(8, 16)?,
            '0'..='3' => {
                self.at -= 1;
                self.code(3, 8)?
            }
            _ => return Err(unknown()),
        })
    }

    fn code(&mut self, digits: usize, radix: u32) -> Result<char, String> {
        let wrong = || "an escape that is no character".to_owned();
        let code = self.rest().get(..digits).ok_or_else(wrong)?;
        if !code.chars().all(|c| c.is_digit(radix)) {
            return Err(wrong());
        }
        self.at += digits;
        u32::from_str_radix(code, radix)
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(wrong)
    }
}
