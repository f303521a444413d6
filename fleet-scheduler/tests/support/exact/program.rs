//! The optimum by an integer program.

use super::{Instance, Optimum, Placement};
use microlp::{ComparisonOp, Error, LinearExpr, OptimizationDirection, Problem, SolutionStatus, Variable};
use std::collections::BTreeSet;

impl Instance {
    /// A placement of least cost; none if minimums cannot be met.
    ///
    /// The program computes in floating point. Its answer is rounded, held against the rules and priced in integers;
    /// that it is the cheapest is the program's word, which holds where costs are far below 2^53.
    ///
    /// # Panics
    ///
    /// If the program fails or its answer breaks a rule.
    pub(crate) fn solve(&self) -> Option<Optimum> {
        let mut problem = Problem::new(OptimizationDirection::Minimize);
        // For each pair what is kept and what is new. New ones are never cheaper, so that what can be kept is.
        let mut pairs: Vec<Vec<Vec<Variable>>> = Vec::new();
        for (index, workload) in self.workloads.iter().enumerate() {
            let mut all = LinearExpr::empty();
            let mut row = Vec::new();
            for (column, cluster) in self.clusters.iter().enumerate() {
                let most = self.most(index, column);
                let before = workload.previous[column].min(most);
                let kinds = [
                    (before, cluster.cost),
                    (most - before, cluster.cost + self.move_price),
                ];
                let mut pair = Vec::new();
                for (count, price) in kinds.into_iter().filter(|(count, _)| *count > 0) {
                    pair.push(problem.add_integer_var(price as f64, (0, bound(count))));
                }
                let sum = pair.iter().map(|variable| (*variable, 1.0));
                if workload.min[column] > 0 {
                    problem.add_constraint(
                        sum.clone().collect::<Vec<_>>(),
                        ComparisonOp::Ge,
                        workload.min[column] as f64,
                    );
                }
                sum.for_each(|(variable, factor)| all.add(variable, factor));
                row.push(pair);
            }
            all.add(
                problem.add_integer_var(
                    self.shortfall_price as f64,
                    (0, bound(workload.replicas - workload.keeps)),
                ),
                1.0,
            );
            problem.add_constraint(all, ComparisonOp::Eq, workload.replicas as f64);
            pairs.push(row);
        }
        for (column, cluster) in self.clusters.iter().enumerate() {
            for (resource, capacity) in cluster.capacity.iter().enumerate() {
                // As it is, and divided by what each workload needs and rounded down: whole replicas keep to that, too,
                // and it cuts off most fractions that the search would have to try (Chvátal and Gomory).
                let needs = self.workloads.iter().map(|workload| workload.needs[resource]);
                for unit in needs.filter(|need| *need > 0).chain([1]).collect::<BTreeSet<_>>() {
                    let mut used = LinearExpr::empty();
                    for (row, workload) in pairs.iter().zip(&self.workloads) {
                        for &variable in &row[column] {
                            used.add(variable, (workload.needs[resource] / unit) as f64);
                        }
                    }
                    problem.add_constraint(used, ComparisonOp::Le, (*capacity / unit) as f64);
                }
            }
        }
        let solution = match problem.solve() {
            Ok(outcome) => outcome
                .into_solution()
                .expect("no limit is set that could interrupt the search"),
            Err(Error::Infeasible) => return None,
            Err(error) => panic!("{error} for {self:?}"),
        };
        assert_eq!(solution.status(), SolutionStatus::Optimal);
        let value = |variable: &Variable| solution.var_value(*variable).round() as u64;
        let placement: Placement = pairs
            .iter()
            .map(|row| row.iter().map(|pair| pair.iter().map(value).sum()).collect())
            .collect();
        let cost = self
            .cost(&placement)
            .unwrap_or_else(|broken| panic!("{broken:?} for {self:?}"));
        assert_eq!(cost, 1 + solution.objective().round() as u64, "{self:?}");
        Some(Optimum { cost, placement })
    }
}

fn bound(count: u64) -> i32 {
    i32::try_from(count).expect("instances are small")
}
