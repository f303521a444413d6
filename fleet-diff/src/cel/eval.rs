//! Evaluates syntax trees.

use std::{cmp::Ordering, rc::Rc};

use super::{
    EvaluationError as Error, functions,
    meter::Meter,
    syntax::{Expr, Fold, How, Kind, Operator},
    value::Value,
};
use crate::document::Node;

type Outcome<'a> = Result<Value<'a>, Error>;

pub(super) fn truth(expr: &Expr, values: &[Option<Node<'_>>]) -> Result<bool, Error> {
    let mut run = Run {
        scope: values
            .iter()
            .map(|node| node.map_or(Value::Null, Value::of))
            .collect(),
        meter: Meter::new(),
    };
    match run.value(expr)? {
        Value::Bool(truth) => Ok(truth),
        _ => Err(Error::NoTruthValue),
    }
}

struct Run<'a> {
    /// Variables, the innermost last.
    scope: Vec<Value<'a>>,
    meter: Meter,
}

fn wrong(word: &str) -> Error {
    Error::WrongType(word.into())
}

impl<'a> Run<'a> {
    fn value(&mut self, expr: &'a Expr) -> Outcome<'a> {
        self.meter.step()?;
        match &expr.kind {
            Kind::Null => Ok(Value::Null),
            Kind::Bool(truth) => Ok(Value::Bool(*truth)),
            Kind::Int(value) => Ok(Value::Int(*value)),
            Kind::Uint(value) => Ok(Value::Uint(*value)),
            Kind::Double(value) => Ok(Value::Double(*value)),
            Kind::Text(text) => Ok(Value::Text(text)),
            Kind::Variable(place) => Ok(self.scope.get(*place).cloned().unwrap_or(Value::Null)),
            Kind::List(items) => self.values(items).map(|items| Value::List(items.into())),
            Kind::Map(entries) => self.map(entries),
            Kind::Select(operand, field) => {
                let operand = self.value(operand)?;
                if !operand.is_map() {
                    return Err(wrong(&format!(".{field}")));
                }
                self.meter.steps(lookup(&operand))?;
                operand.field(field).ok_or_else(|| Error::NoField(field.clone()))
            }
            Kind::Has(operand, field) => {
                let operand = self.value(operand)?;
                if !operand.is_map() {
                    return Err(wrong("has"));
                }
                self.meter.steps(lookup(&operand))?;
                Ok(Value::Bool(operand.field(field).is_some()))
            }
            Kind::Index(parts) => self.index(parts),
            Kind::Not(operand) => match self.value(operand)? {
                Value::Bool(truth) => Ok(Value::Bool(!truth)),
                _ => Err(wrong("!")),
            },
            Kind::Negate(operand) => match self.value(operand)? {
                Value::Int(value) => value
                    .checked_neg()
                    .map(Value::Int)
                    .ok_or_else(|| Error::Arithmetic("-".into())),
                Value::Double(value) => Ok(Value::Double(-value)),
                _ => Err(wrong("-")),
            },
            Kind::And(parts) => self.chain(parts, false),
            Kind::Or(parts) => self.chain(parts, true),
            Kind::Binary(operator, parts) => self.binary(*operator, parts),
            Kind::Choose(parts) => self.choose(parts),
            Kind::Call(function, values) => {
                let values = self.values(values)?;
                functions::call(*function, &values, &mut self.meter)
            }
            Kind::Fold(fold) => self.fold(fold),
        }
    }

    fn values(&mut self, exprs: &'a [Expr]) -> Result<Vec<Value<'a>>, Error> {
        exprs.iter().map(|expr| self.value(expr)).collect()
    }

    fn map(&mut self, entries: &'a [(Expr, Expr)]) -> Outcome<'a> {
        let mut found: Vec<(Value<'a>, Value<'a>)> = Vec::new();
        for (key, value) in entries {
            let key = self.value(key)?;
            if !matches!(key, Value::Bool(_) | Value::Int(_) | Value::Uint(_)) && key.as_text().is_none() {
                return Err(Error::BadKey);
            }
            for (other, _) in &found {
                if other.equals(&key, &mut self.meter)? {
                    return Err(Error::BadKey);
                }
            }
            let value = self.value(value)?;
            found.push((key, value));
        }
        Ok(Value::Map(found.into()))
    }

    fn index(&mut self, parts: &'a [Expr; 2]) -> Outcome<'a> {
        let [operand, index] = parts;
        let (operand, index) = (self.value(operand)?, self.value(index)?);
        if operand.is_map() {
            let is_key =
                index.as_text().is_some() || matches!(index, Value::Bool(_)) || index.whole().is_some();
            if !is_key {
                return Err(wrong("[]"));
            }
            self.meter.bytes(index.as_text().map_or(0, str::len))?;
            return operand.at(&index, &mut self.meter)?.ok_or(Error::NoElement);
        }
        if !operand.is_list() {
            return Err(wrong("[]"));
        }
        let place = index.whole().ok_or_else(|| wrong("[]"))?;
        let place = usize::try_from(place).map_err(|_| Error::NoElement)?;
        let found = match &operand {
            Value::List(items) => items.get(place).cloned(),
            Value::Part(node) => node.item(place).map(Value::of),
            _ => None,
        };
        found.ok_or(Error::NoElement)
    }

    /// `&&` and `||`: the value that decides wins, also over errors of others.
    fn chain(&mut self, parts: &'a [Expr], decides: bool) -> Outcome<'a> {
        let mut failed = None;
        for part in parts {
            match self.truth(part, if decides { "||" } else { "&&" }) {
                Ok(truth) if truth == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(Error::TooManySteps) => return Err(Error::TooManySteps),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn truth(&mut self, expr: &'a Expr, word: &str) -> Result<bool, Error> {
        match self.value(expr)? {
            Value::Bool(truth) => Ok(truth),
            _ => Err(wrong(word)),
        }
    }

    fn choose(&mut self, parts: &'a [Expr; 3]) -> Outcome<'a> {
        let [condition, then, other] = parts;
        if self.truth(condition, "? :")? {
            self.value(then)
        } else {
            self.value(other)
        }
    }

    fn binary(&mut self, operator: Operator, parts: &'a [Expr; 2]) -> Outcome<'a> {
        let [a, b] = parts;
        let (a, b) = (self.value(a)?, self.value(b)?);
        let meter = &mut self.meter;
        let mut ordered = |is: fn(Ordering) -> bool| {
            let order = a.order(&b, meter).map_err(|error| match error {
                Error::WrongType(_) => wrong(operator.word()),
                error => error,
            });
            Ok(Value::Bool(order?.is_some_and(is)))
        };
        match operator {
            Operator::Less => ordered(Ordering::is_lt),
            Operator::LessOrEqual => ordered(Ordering::is_le),
            Operator::Greater => ordered(Ordering::is_gt),
            Operator::GreaterOrEqual => ordered(Ordering::is_ge),
            Operator::Equal => a.equals(&b, meter).map(Value::Bool),
            Operator::Unequal => a.equals(&b, meter).map(|same| Value::Bool(!same)),
            Operator::In => self.is_in(&a, &b),
            _ => functions::arithmetic(operator, &a, &b, meter),
        }
    }

    fn is_in(&mut self, value: &Value<'a>, container: &Value<'a>) -> Outcome<'a> {
        if container.is_map() {
            self.meter.bytes(value.as_text().map_or(0, str::len))?;
            let found = container.at(value, &mut self.meter)?;
            return Ok(Value::Bool(found.is_some()));
        }
        let range = container.range().ok_or_else(|| wrong("in"))?;
        for item in range {
            if value.equals(&item, &mut self.meter)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }

    fn fold(&mut self, fold: &'a Fold) -> Outcome<'a> {
        let range = self.value(&fold.range)?;
        let range = range.range().ok_or_else(|| wrong(fold.how.word()))?;
        let (mut failed, mut made, mut count) = (None, Vec::new(), 0_usize);
        for item in range {
            self.meter.step()?;
            self.scope.push(item.clone());
            let outcome = self.element(fold);
            self.scope.pop();
            match (fold.how, outcome) {
                (_, Err(Error::TooManySteps)) => return Err(Error::TooManySteps),
                (How::All, Ok((false, _))) => return Ok(Value::Bool(false)),
                (How::Exists, Ok((true, _))) => return Ok(Value::Bool(true)),
                // As with `&&` and `||`, another element may decide.
                (How::All | How::Exists, Err(error)) => failed = failed.or(Some(error)),
                (_, Err(error)) => return Err(error),
                (How::ExistsOne, Ok((true, _))) => count += 1,
                (How::Filter, Ok((true, _))) => made.push(item),
                (How::Map, Ok((true, Some(value)))) => made.push(value),
                (_, Ok(_)) => {}
            }
        }
        match (fold.how, failed) {
            (_, Some(error)) => Err(error),
            (How::All, None) => Ok(Value::Bool(true)),
            (How::Exists, None) => Ok(Value::Bool(false)),
            (How::ExistsOne, None) => Ok(Value::Bool(count == 1)),
            (How::Filter | How::Map, None) => Ok(Value::List(Rc::from(made))),
        }
    }

    /// Whether an element counts, and what is made of it.
    fn element(&mut self, fold: &'a Fold) -> Result<(bool, Option<Value<'a>>), Error> {
        let counts = match &fold.test {
            Some(test) => self.truth(test, fold.how.word())?,
            None => true,
        };
        let made = match &fold.make {
            Some(make) if counts => Some(self.value(make)?),
            _ => None,
        };
        Ok((counts, made))
    }
}

/// Steps of looking for a text key.
fn lookup(map: &Value<'_>) -> usize {
    match map {
        Value::Map(entries) => entries.len(),
        _ => 0,
    }
}

impl How {
    fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exists => "exists",
            Self::ExistsOne => "exists_one",
            Self::Filter => "filter",
            Self::Map => "map",
        }
    }
}
