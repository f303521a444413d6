//! Whether a value is of its type.

use super::{
    Shape, element_name,
    items::{check_name, first_repeated},
    shape,
};
use crate::{
    FieldPath, PathElement,
    document::{Kind, Node},
    schema::{Layer, ListKind, ListType, MapType, ScalarType, TypeId},
};

/// Whether a keyed list or a set may hold the same element twice. Live objects may; what is applied may not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicates {
    Allowed,
    Refused,
}

/// Where a value is not of its type, and why. Never quotes a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) path: FieldPath,
    pub(crate) problem: &'static str,
}

/// The first place where a value is not of its type.
pub(crate) fn validate(
    layer: &Layer,
    id: TypeId,
    value: Node<'_>,
    duplicates: Duplicates,
) -> Result<(), Misfit> {
    let mut walk = Walk { layer, duplicates };
    walk.value(id, value).map_err(|wrong| Misfit {
        path: FieldPath::new(wrong.path.into_iter().rev()),
        problem: wrong.problem,
    })
}

/// The path is innermost first.
struct Wrong {
    path: Vec<PathElement>,
    problem: &'static str,
}

fn wrong(problem: &'static str) -> Wrong {
    Wrong {
        path: Vec::new(),
        problem,
    }
}

impl Wrong {
    fn within(mut self, element: PathElement) -> Self {
        self.path.push(element);
        self
    }
}

struct Walk<'s> {
    layer: &'s Layer,
    duplicates: Duplicates,
}

impl Walk<'_> {
    fn value(&mut self, id: TypeId, value: Node<'_>) -> Result<(), Wrong> {
        match shape(self.layer, id, Some(value)) {
            Shape::Scalar(of) => scalar(of, value),
            Shape::Map(of) => self.map(of, value),
            Shape::List(of) => self.list(of, value),
            Shape::Nothing => Err(wrong("its schema takes no value")),
        }
    }

    fn map(&mut self, of: &MapType, value: Node<'_>) -> Result<(), Wrong> {
        if !matches!(value.kind(), Kind::Map | Kind::Null) {
            return Err(wrong("must be a mapping"));
        }
        let mut fields = of.in_order();
        for inner in value.values() {
            let within = |wrong: Wrong| wrong.within(PathElement::key(inner.key()));
            let Some(id) = fields.of(inner) else {
                return Err(within(wrong("is not a field of its schema")));
            };
            self.value(id, inner).map_err(within)?;
        }
        Ok(())
    }

    fn list(&mut self, of: &ListType, value: Node<'_>) -> Result<(), Wrong> {
        if !matches!(value.kind(), Kind::List | Kind::Null) {
            return Err(wrong("must be a list"));
        }
        let repeated = match self.duplicates {
            Duplicates::Refused if of.kind != ListKind::Atomic => first_repeated(self.layer, of, value),
            _ => None,
        };
        for (i, item) in value.items().enumerate() {
            if of.kind != ListKind::Atomic {
                check_name(self.layer, of, item)
                    .map_err(|problem| wrong(problem).within(PathElement::Index(i)))?;
            }
            if repeated == Some(i) {
                let name = element_name(self.layer, of, item);
                return Err(wrong("is in the list twice").within(name.unwrap_or(PathElement::Index(i))));
            }
            self.value(of.element, item).map_err(|inner| {
                let name = element_name(self.layer, of, item);
                inner.within(name.unwrap_or(PathElement::Index(i)))
            })?;
        }
        Ok(())
    }
}

fn scalar(of: ScalarType, value: Node<'_>) -> Result<(), Wrong> {
    match (of, value.kind()) {
        (_, Kind::Null)
        | (ScalarType::Number | ScalarType::Any, Kind::Number)
        | (ScalarType::Text | ScalarType::Any, Kind::Text)
        | (ScalarType::Bool | ScalarType::Any, Kind::Bool) => Ok(()),
        (ScalarType::Number, _) => Err(wrong("must be a number")),
        (ScalarType::Text, _) => Err(wrong("must be a text (quote it?)")),
        (ScalarType::Bool, _) => Err(wrong("must be true or false")),
        (ScalarType::Any, _) => Err(wrong("must be a scalar")),
    }
}
