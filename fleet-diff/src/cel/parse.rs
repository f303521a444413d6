//! From tokens to a syntax tree.

use super::{
    Condition, ConditionError,
    lex::{Placed, Token, error_at, tokens},
    syntax::{Expr, Fold, Function, How, Kind, Operator},
};

/// Words that cannot be names of variables.
const RESERVED: [&str; 18] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

pub(super) fn parse(text: &str, variables: &[&str]) -> Result<Expr, ConditionError> {
    if text.len() > Condition::LENGTH_MAX {
        let problem = format!("it is longer than {} bytes", Condition::LENGTH_MAX);
        return Err(error_at(text, 0, problem));
    }
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
        scope: variables.iter().map(|name| (*name).to_owned()).collect(),
    };
    let expr = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(expr),
        _ => Err(parser.error("an operator, or the end, is expected here")),
    }
}

struct Parser<'t> {
    text: &'t str,
    /// The last one is the end.
    tokens: Vec<Placed>,
    next: usize,
    /// Of expressions inside one another.
    depth: usize,
    /// The names of variables, the innermost last.
    scope: Vec<String>,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens
            .get(self.next)
            .map_or(&Token::End, |placed| &placed.token)
    }

    fn place(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.text.len(), |placed| placed.at)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn error(&self, problem: impl Into<String>) -> ConditionError {
        let problem = if *self.peek() == Token::End {
            "the expression ends early".into()
        } else {
            problem.into()
        };
        error_at(self.text, self.place(), problem)
    }

    fn is(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(found) if *found == sign);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), ConditionError> {
        if self.is(sign) {
            return Ok(());
        }
        Err(self.error(format!("`{sign}` is expected here")))
    }

    fn made(&self, at: usize, kind: Kind) -> Result<Expr, ConditionError> {
        let depth = 1 + kind.parts().iter().map(|part| part.depth).max().unwrap_or(0);
        if depth > Condition::DEPTH_MAX {
            return Err(self.too_deep(at));
        }
        Ok(Expr { kind, depth })
    }

    fn too_deep(&self, at: usize) -> ConditionError {
        error_at(
            self.text,
            at,
            format!("it is nested more than {} levels deep", Condition::DEPTH_MAX),
        )
    }

    fn expression(&mut self) -> Result<Expr, ConditionError> {
        let at = self.place();
        self.depth += 1;
        if self.depth > Condition::DEPTH_MAX {
            return Err(self.too_deep(at));
        }
        let mut expr = self.binary(0)?;
        if self.is("?") {
            let then = self.expression()?;
            self.expect(":")?;
            let other = self.expression()?;
            expr = self.made(at, Kind::Choose(Box::new([expr, then, other])))?;
        }
        self.depth -= 1;
        Ok(expr)
    }

    /// Operators that bind at least so strongly.
    fn binary(&mut self, strength: u8) -> Result<Expr, ConditionError> {
        let at = self.place();
        let mut left = self.unary()?;
        while let Some((joins, own)) = binary_operator(self.peek()).filter(|(_, own)| *own >= strength) {
            self.next += 1;
            let right = self.binary(own + 1)?;
            let kind = match (joins, left) {
                (
                    Joins::And,
                    Expr {
                        kind: Kind::And(mut parts),
                        ..
                    },
                ) => {
                    parts.push(right);
                    Kind::And(parts)
                }
                (
                    Joins::Or,
                    Expr {
                        kind: Kind::Or(mut parts),
                        ..
                    },
                ) => {
                    parts.push(right);
                    Kind::Or(parts)
                }
                (Joins::And, left) => Kind::And(vec![left, right]),
                (Joins::Or, left) => Kind::Or(vec![left, right]),
                (Joins::By(operator), left) => Kind::Binary(operator, Box::new([left, right])),
            };
            left = self.made(at, kind)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, ConditionError> {
        let at = self.place();
        let mut signs = Vec::new();
        loop {
            if self.is("!") {
                signs.push('!');
            } else if self.is("-") {
                signs.push('-');
            } else {
                break;
            }
        }
        // The smallest integer has no positive counterpart.
        let number = match self.peek() {
            Token::Int(value) if signs.last() == Some(&'-') => Some(*value),
            _ => None,
        };
        let mut expr = if let Some(value) = number {
            signs.pop();
            let place = self.place();
            self.next += 1;
            let value = 0_i64.checked_sub_unsigned(value);
            let value = value.ok_or_else(|| error_at(self.text, place, "a number that is too large"))?;
            let literal = self.made(at, Kind::Int(value))?;
            self.members(literal)?
        } else {
            let primary = self.primary()?;
            self.members(primary)?
        };
        for sign in signs.into_iter().rev() {
            let inner = Box::new(expr);
            expr = self.made(
                at,
                if sign == '!' {
                    Kind::Not(inner)
                } else {
                    Kind::Negate(inner)
                },
            )?;
        }
        Ok(expr)
    }

    fn members(&mut self, mut expr: Expr) -> Result<Expr, ConditionError> {
        loop {
            let at = self.place();
            if self.is("[") {
                let index = self.expression()?;
                self.expect("]")?;
                expr = self.made(at, Kind::Index(Box::new([expr, index])))?;
            } else if self.is(".") {
                let place = self.place();
                let (Token::Word(name) | Token::Quoted(name)) = self.take() else {
                    self.next -= 1;
                    return Err(self.error("the name of a field is expected here"));
                };
                expr = if self.is("(") {
                    self.method(place, expr, &name)?
                } else {
                    self.made(at, Kind::Select(Box::new(expr), name.into()))?
                };
            } else {
                return Ok(expr);
            }
        }
    }

    /// What follows `operand.name(`.
    fn method(&mut self, at: usize, operand: Expr, name: &str) -> Result<Expr, ConditionError> {
        let how = match name {
            "all" => How::All,
            "exists" => How::Exists,
            "exists_one" | "existsOne" => How::ExistsOne,
            "filter" => How::Filter,
            "map" => How::Map,
            _ => {
                let mut values = vec![operand];
                values.extend(self.list(")")?);
                return self.call(at, name, true, values);
            }
        };
        let place = self.place();
        let Token::Word(variable) = self.take() else {
            self.next -= 1;
            return Err(self.error(format!("`{name}` needs the name of a variable first")));
        };
        self.check_name(place, &variable)?;
        self.expect(",")?;
        self.scope.push(variable);
        let parts = self.list(")");
        self.scope.pop();
        let mut parts = parts?.into_iter();
        let (test, make) = match (how, parts.next(), parts.next(), parts.next()) {
            (How::Map, make @ Some(_), None, None) => (None, make),
            (How::Map, test @ Some(_), make @ Some(_), None) => (test, make),
            (_, test @ Some(_), None, None) => (test, None),
            _ => {
                return Err(error_at(
                    self.text,
                    at,
                    format!("`{name}` does not take so many values"),
                ));
            }
        };
        let range = operand;
        self.made(
            at,
            Kind::Fold(Box::new(Fold {
                how,
                range,
                test,
                make,
            })),
        )
    }

    fn primary(&mut self) -> Result<Expr, ConditionError> {
        let at = self.place();
        let kind = match self.take() {
            Token::Int(value) => match i64::try_from(value) {
                Ok(value) => Kind::Int(value),
                Err(_) => return Err(error_at(self.text, at, "a number that is too large")),
            },
            Token::Uint(value) => Kind::Uint(value),
            Token::Double(value) => Kind::Double(value),
            Token::Text(text) => Kind::Text(text.into()),
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.expect(")")?;
                return Ok(inner);
            }
            Token::Sign("[") => Kind::List(self.list("]")?),
            Token::Sign("{") => Kind::Map(self.entries()?),
            Token::Word(word) => match &*word {
                "null" => Kind::Null,
                "true" => Kind::Bool(true),
                "false" => Kind::Bool(false),
                _ if self.is("(") => return self.function(at, &word),
                _ => {
                    self.check_name(at, &word)?;
                    let place = self.scope.iter().rposition(|name| *name == word);
                    let unknown = || error_at(self.text, at, format!("nothing here is called `{word}`"));
                    Kind::Variable(place.ok_or_else(unknown)?)
                }
            },
            _ => {
                self.next -= 1;
                return Err(self.error("a value is expected here"));
            }
        };
        self.made(at, kind)
    }

    /// What follows `name(`.
    fn function(&mut self, at: usize, name: &str) -> Result<Expr, ConditionError> {
        let mut values = self.list(")")?;
        if name != "has" {
            return self.call(at, name, false, values);
        }
        match (values.pop(), values.is_empty()) {
            (
                Some(Expr {
                    kind: Kind::Select(operand, field),
                    ..
                }),
                true,
            ) => self.made(at, Kind::Has(operand, field)),
            _ => Err(error_at(self.text, at, "`has` asks for a field: `has(a.b)`")),
        }
    }

    fn call(&self, at: usize, name: &str, on: bool, values: Vec<Expr>) -> Result<Expr, ConditionError> {
        let unknown = || {
            error_at(
                self.text,
                at,
                format!("there is no function `{name}` that takes so many values"),
            )
        };
        let function = Function::find(name, on, values.len()).ok_or_else(unknown)?;
        self.made(at, Kind::Call(function, values))
    }

    /// Expressions separated by commas, up to a closing sign. A comma may stand after the last one of a list.
    fn list(&mut self, end: &'static str) -> Result<Vec<Expr>, ConditionError> {
        let mut found = Vec::new();
        loop {
            if (found.is_empty() || end == "]") && self.is(end) {
                return Ok(found);
            }
            found.push(self.expression()?);
            if !self.is(",") {
                self.expect(end)?;
                return Ok(found);
            }
        }
    }

    fn entries(&mut self) -> Result<Vec<(Expr, Expr)>, ConditionError> {
        let mut found = Vec::new();
        while !self.is("}") {
            let key = self.expression()?;
            self.expect(":")?;
            found.push((key, self.expression()?));
            if !self.is(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(found)
    }

    fn check_name(&self, at: usize, name: &str) -> Result<(), ConditionError> {
        if RESERVED.contains(&name) || ["true", "false", "null"].contains(&name) {
            return Err(error_at(
                self.text,
                at,
                format!("`{name}` cannot be the name of something"),
            ));
        }
        Ok(())
    }
}

enum Joins {
    And,
    Or,
    By(Operator),
}

/// What joins two expressions, and how strongly.
fn binary_operator(token: &Token) -> Option<(Joins, u8)> {
    use Operator as O;
    let word = match token {
        Token::Sign(sign) => sign,
        Token::Word(word) if word == "in" => "in",
        _ => return None,
    };
    Some(match word {
        "||" => (Joins::Or, 0),
        "&&" => (Joins::And, 1),
        "<" => (Joins::By(O::Less), 2),
        "<=" => (Joins::By(O::LessOrEqual), 2),
        ">" => (Joins::By(O::Greater), 2),
        ">=" => (Joins::By(O::GreaterOrEqual), 2),
        "==" => (Joins::By(O::Equal), 2),
        "!=" => (Joins::By(O::Unequal), 2),
        "in" => (Joins::By(O::In), 2),
        "+" => (Joins::By(O::Add), 3),
        "-" => (Joins::By(O::Subtract), 3),
        "*" => (Joins::By(O::Multiply), 4),
        "/" => (Joins::By(O::Divide), 4),
        "%" => (Joins::By(O::Remainder), 4),
        _ => return None,
    })
}
