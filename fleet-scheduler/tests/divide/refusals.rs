//! Input that contradicts itself is refused by every method, and what to correct is named.

use fleet_scheduler::divide::{
    DivideError, DomainLimit, Level, MAX_LEVELS, MAX_REPLICAS, Mode, Party, Skew, Spread, Ties, aggregated,
    bounded, by_capacity, clusternet, karmada, largest_remainder,
    planner::{Planner, plan},
    steady, webster, webster_onto,
};

fn everywhere(parties: &[Party<'_>], replicas: u64, expect: &DivideError) {
    let none = Spread::none();
    let (ties, mode) = (Ties::default(), Mode::default());
    let answers = [
        bounded(parties, &none, replicas),
        steady(parties, &none, replicas),
        by_capacity(parties, &none, replicas),
        aggregated(parties, replicas, mode),
        webster(parties, replicas, ties),
        webster_onto(parties, replicas, ties),
        largest_remainder(parties, replicas),
        clusternet::static_weight(parties, replicas),
        clusternet::dynamic(parties, replicas),
        karmada::duplicated(parties, replicas),
        karmada::static_weight(parties, replicas, ties),
        karmada::dynamic_weight(parties, replicas, mode, ties),
        karmada::aggregated(parties, replicas, mode, ties),
        plan(parties, replicas, "", Planner::Kubefed { rebalance: true }).map(|plan| plan.division),
    ];
    for (i, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.as_ref(), Err(expect), "method {i}");
    }
}

#[test]
fn of_parties() {
    let over = DivideError::MinOverMax {
        holder: "a".into(),
        min: 3,
        max: 2,
    };
    everywhere(&[Party::new("a").min(3).max(2)], 1, &over);
    everywhere(
        &[Party::new("a"), Party::new("a")],
        1,
        &DivideError::DuplicateParty { name: "a".into() },
    );
    let many = |what, count| DivideError::TooMany {
        what,
        count,
        most: MAX_REPLICAS,
    };
    let count = MAX_REPLICAS + 1;
    everywhere(&[Party::new("a")], count, &many("replicas", count));
    everywhere(
        &[Party::new("a").current(count)],
        1,
        &many("current replicas of a cluster", count),
    );
    everywhere(
        &[Party::new("a").min(count)],
        1,
        &many("minimum of a cluster", count),
    );
    let onto = webster_onto(&[Party::new("a").current(1)], MAX_REPLICAS, Ties::default());
    assert_eq!(onto, Err(many("replicas", count)));
}

#[test]
fn of_domains() {
    let check = |spread: Spread<'_>, expect: DivideError| {
        let parties = [Party::new("a").domains(["eu"])];
        assert_eq!(bounded(&parties, &spread, 1).as_ref(), Err(&expect));
        assert_eq!(steady(&parties, &spread, 1).as_ref(), Err(&expect));
    };
    let region = || Level::new("region");
    let over = |holder: &str| DivideError::MinOverMax {
        holder: holder.into(),
        min: 2,
        max: 1,
    };
    check(Spread::none().level(region().min(2).max(1)), over("region"));
    let single = |path: &[&'static str]| DomainLimit::new(path.iter().copied());
    check(
        Spread::none()
            .level(region())
            .domain(single(&["eu"]).min(2).max(1)),
        over("eu"),
    );
    check(
        Spread::none().level(region().skew(Skew::hard(0))),
        DivideError::ZeroSkew {
            level: "region".into(),
        },
    );
    check(
        Spread::none().clusters(Skew::soft(0)),
        DivideError::ZeroSkew {
            level: "clusters".into(),
        },
    );
    check(
        Spread::none().level(region()).level(Level::new("zone")),
        DivideError::MissingDomain {
            party: "a".into(),
            level: "zone".into(),
        },
    );
    let path = |domain: &str| DivideError::DomainPath {
        domain: domain.into(),
    };
    check(
        Spread::none().level(region()).domain(single(&["eu", "1"])),
        path("eu/1"),
    );
    check(Spread::none().level(region()).domain(single(&[])), path(""));
    check(
        Spread::none()
            .level(region())
            .domain(single(&["eu"]))
            .domain(single(&["eu"])),
        path("eu"),
    );
    let deep = (0..=MAX_LEVELS).fold(Spread::none(), |spread, _| spread.level(region()));
    let (count, most) = (MAX_LEVELS as u64 + 1, MAX_LEVELS as u64);
    check(
        deep,
        DivideError::TooMany {
            what: "levels of domains",
            count,
            most,
        },
    );
    let count = MAX_REPLICAS + 1;
    check(
        Spread::none().level(region().min(count)),
        DivideError::TooMany {
            what: "minimum of a domain",
            count,
            most: MAX_REPLICAS,
        },
    );
}
