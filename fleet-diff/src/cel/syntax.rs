//! Syntax trees.

use std::sync::Arc;

/// An expression, and how deep it is.
pub(super) struct Expr {
    pub(super) kind: Kind,
    pub(super) depth: usize,
}

pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Arc<str>),
    /// Its place among the variables in scope.
    Variable(usize),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Select(Box<Expr>, Arc<str>),
    Has(Box<Expr>, Arc<str>),
    Index(Box<[Expr; 2]>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Binary(Operator, Box<[Expr; 2]>),
    /// Condition, then, else.
    Choose(Box<[Expr; 3]>),
    Call(Function, Vec<Expr>),
    Fold(Box<Fold>),
}

/// A macro that goes through a list, or the keys of a mapping.
pub(super) struct Fold {
    pub(super) how: How,
    pub(super) range: Expr,
    /// What is asked of each element.
    pub(super) test: Option<Expr>,
    /// What is made of each element.
    pub(super) make: Option<Expr>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    Unequal,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Function {
    Size,
    StartsWith,
    EndsWith,
    Contains,
    ToText,
    ToInt,
    ToUint,
    ToDouble,
    Dyn,
}

impl Function {
    /// By name, whether it is called on something, and how many values it takes, that included.
    pub(super) fn find(name: &str, on_something: bool, values: usize) -> Option<Self> {
        Some(match (name, on_something, values) {
            ("size", _, 1) => Self::Size,
            ("startsWith", true, 2) => Self::StartsWith,
            ("endsWith", true, 2) => Self::EndsWith,
            ("contains", true, 2) => Self::Contains,
            ("string", false, 1) => Self::ToText,
            ("int", false, 1) => Self::ToInt,
            ("uint", false, 1) => Self::ToUint,
            ("double", false, 1) => Self::ToDouble,
            ("dyn", false, 1) => Self::Dyn,
            _ => return None,
        })
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Contains => "contains",
            Self::ToText => "string",
            Self::ToInt => "int",
            Self::ToUint => "uint",
            Self::ToDouble => "double",
            Self::Dyn => "dyn",
        }
    }
}

impl Kind {
    /// What it is made of.
    pub(super) fn parts(&self) -> Vec<&Expr> {
        match self {
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Uint(_)
            | Self::Double(_)
            | Self::Text(_)
            | Self::Variable(_) => Vec::new(),
            Self::List(parts) | Self::And(parts) | Self::Or(parts) | Self::Call(_, parts) => {
                parts.iter().collect()
            }
            Self::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            Self::Select(one, _) | Self::Has(one, _) | Self::Not(one) | Self::Negate(one) => vec![&**one],
            Self::Index(two) | Self::Binary(_, two) => two.iter().collect(),
            Self::Choose(three) => three.iter().collect(),
            Self::Fold(fold) => std::iter::once(&fold.range)
                .chain(&fold.test)
                .chain(&fold.make)
                .collect(),
        }
    }
}
