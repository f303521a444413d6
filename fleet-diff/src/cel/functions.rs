//! Functions, and operators on numbers, texts and lists.

use super::{
    EvaluationError as Error,
    meter::Meter,
    syntax::{Function, Operator},
    value::Value,
};

pub(super) fn call<'a>(
    function: Function,
    values: &[Value<'a>],
    meter: &mut Meter,
) -> Result<Value<'a>, Error> {
    let wrong = || Error::WrongType(function.word().into());
    match (function, values) {
        (Function::Dyn, [value]) => Ok(value.clone()),
        (Function::Size, [value]) => size(value, meter)?.map(Value::Int).ok_or_else(wrong),
        (Function::ToText, [value]) => to_text(value, meter)?.ok_or_else(wrong),
        (Function::ToInt | Function::ToUint | Function::ToDouble, [value]) => to_number(function, value),
        (_, [text, part]) => {
            let (Some(text), Some(part)) = (text.as_text(), part.as_text()) else {
                return Err(wrong());
            };
            meter.bytes(text.len() + part.len())?;
            match function {
                Function::StartsWith => Ok(Value::Bool(text.starts_with(part))),
                Function::EndsWith => Ok(Value::Bool(text.ends_with(part))),
                Function::Contains => Ok(Value::Bool(text.contains(part))),
                _ => Err(wrong()),
            }
        }
        _ => Err(wrong()),
    }
}

/// Of texts in characters.
fn size(value: &Value<'_>, meter: &mut Meter) -> Result<Option<i64>, Error> {
    let size = if let Some(text) = value.as_text() {
        meter.bytes(text.len())?;
        text.chars().count()
    } else if value.is_list() || value.is_map() {
        value.count()
    } else {
        return Ok(None);
    };
    Ok(i64::try_from(size).ok())
}

fn to_text<'a>(value: &Value<'a>, meter: &mut Meter) -> Result<Option<Value<'a>>, Error> {
    let text = match value {
        Value::Text(_) | Value::Made(_) => return Ok(Some(value.clone())),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        _ => return Ok(None),
    };
    meter.bytes(text.len())?;
    Ok(Some(Value::Made(text.into())))
}

fn to_number<'a>(function: Function, value: &Value<'a>) -> Result<Value<'a>, Error> {
    let range = || Error::Arithmetic(function.word().into());
    let text = value.as_text();
    match function {
        Function::ToInt => match (text, value) {
            (Some(text), _) => text.parse().ok(),
            (None, Value::Double(number)) => truncated(*number).and_then(|number| i64::try_from(number).ok()),
            _ => value
                .whole()
                .ok_or_else(|| Error::WrongType("int".into()))?
                .try_into()
                .ok(),
        }
        .map(Value::Int)
        .ok_or_else(range),
        Function::ToUint => match (text, value) {
            (Some(text), _) => text.parse().ok(),
            (None, Value::Double(number)) => truncated(*number).and_then(|number| u64::try_from(number).ok()),
            _ => value
                .whole()
                .ok_or_else(|| Error::WrongType("uint".into()))?
                .try_into()
                .ok(),
        }
        .map(Value::Uint)
        .ok_or_else(range),
        _ => {
            #[expect(clippy::cast_precision_loss, reason = "it is what is asked for")]
            let number = match (text, value) {
                (Some(text), _) => text.parse().map_err(|_| range())?,
                (None, Value::Double(number)) => *number,
                _ => value.whole().ok_or_else(|| Error::WrongType("double".into()))? as f64,
            };
            Ok(Value::Double(number))
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "in range, and the fraction is to go"
)]
fn truncated(number: f64) -> Option<i128> {
    (number.abs() < 1e20).then_some(number as i128)
}

pub(super) fn arithmetic<'a>(
    operator: Operator,
    a: &Value<'a>,
    b: &Value<'a>,
    meter: &mut Meter,
) -> Result<Value<'a>, Error> {
    let range = || Error::Arithmetic(operator.word().into());
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => match operator {
            Operator::Add => a.checked_add(*b),
            Operator::Subtract => a.checked_sub(*b),
            Operator::Multiply => a.checked_mul(*b),
            Operator::Divide => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(Value::Int)
        .ok_or_else(range),
        (Value::Uint(a), Value::Uint(b)) => match operator {
            Operator::Add => a.checked_add(*b),
            Operator::Subtract => a.checked_sub(*b),
            Operator::Multiply => a.checked_mul(*b),
            Operator::Divide => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(Value::Uint)
        .ok_or_else(range),
        (Value::Double(a), Value::Double(b)) if operator != Operator::Remainder => {
            Ok(Value::Double(match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                _ => a / b,
            }))
        }
        _ if operator == Operator::Add => joined(a, b, meter),
        _ => Err(Error::WrongType(operator.word().into())),
    }
}

/// Texts and lists, one after the other.
fn joined<'a>(a: &Value<'a>, b: &Value<'a>, meter: &mut Meter) -> Result<Value<'a>, Error> {
    if let (Some(a), Some(b)) = (a.as_text(), b.as_text()) {
        meter.bytes(a.len() + b.len())?;
        return Ok(Value::Made([a, b].concat().into()));
    }
    if a.is_list() && b.is_list() {
        meter.steps(a.count() + b.count())?;
        let items = a
            .range()
            .into_iter()
            .flatten()
            .chain(b.range().into_iter().flatten());
        return Ok(Value::List(items.collect()));
    }
    Err(Error::WrongType("+".into()))
}
