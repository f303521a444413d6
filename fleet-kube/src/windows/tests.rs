use std::path::Path;

use fleet_core::Window;
use proptest::prelude::*;

use super::*;
use crate::{files::read_settings, inventory::FleetFile, registry::RegistryFile};

fn at(text: &str) -> Tick {
    tick(text.parse().unwrap())
}

fn windows(text: &str) -> Windows {
    let file = read_settings(Path::new("fleet.yaml"), &format!("maintenance:\n{text}"));
    let file: FleetFile = file.unwrap().unwrap();
    Windows::new(&file.maintenance)
}

/// Whether it is open at this moment, and when that changes.
fn check(windows: &Windows, now: &str, open: bool, until: &str) {
    let standing = windows.at(at(now));
    assert_eq!(standing.hold.is_none(), open, "{now}: {standing:?}");
    let expect = (!until.is_empty()).then(|| at(until));
    assert_eq!(standing.until, expect, "{now}: {standing:?}");
}

#[test]
fn it_is_open_in_a_window_and_closed_outside() {
    let nights =
        windows(" windows: [{days: [mon, tue], from: '22:00', until: '04:00', timeZone: Europe/Berlin}]\n");
    // 2026-11-30 is a Monday; Berlin is an hour ahead.
    for (now, open, until) in [
        ("2026-11-30T20:59:59.999Z", false, "2026-11-30T21:00:00Z"),
        ("2026-11-30T21:00:00Z", true, "2026-12-01T03:00:00Z"),
        ("2026-12-01T02:59:59.999Z", true, "2026-12-01T03:00:00Z"),
        ("2026-12-01T03:00:00Z", false, "2026-12-01T21:00:00Z"),
        // The night that began on Tuesday ends on Wednesday, and none begins then.
        ("2026-12-02T02:00:00Z", true, "2026-12-02T03:00:00Z"),
        ("2026-12-02T03:00:00Z", false, "2026-12-07T21:00:00Z"),
        // None began on Sunday.
        ("2026-11-30T01:00:00Z", false, "2026-11-30T21:00:00Z"),
    ] {
        check(&nights, now, open, until);
    }
    let reason = nights.at(at("2026-12-02T12:00:00Z")).hold.unwrap();
    assert_eq!(
        (&*reason.code, reason.facts["opens"].as_str()),
        (CODE, "2026-12-07T21:00:00Z")
    );
    assert_eq!(
        reason.message,
        "outside the maintenance windows of this cluster; it opens Mon 2026-12-07 22:00 Europe/Berlin (2026-12-07 21:00 UTC)"
    );
}

#[test]
fn closed_times_count_before_windows() {
    let text = " windows: [{from: '08:00', until: '24:00'}]\n closed:\n - {days: [fri, sat], from: '12:00', until: '24:00'}\n - {from: 2026-12-20 18:00, until: 2027-01-07 09:30, timeZone: America/New_York, reason: end of the year}\n";
    let windows = windows(text);
    for (now, open, until) in [
        ("2026-12-03T07:00:00Z", false, "2026-12-03T08:00:00Z"),
        // From Thursday's end to Friday's morning, then to noon.
        ("2026-12-03T08:00:00Z", true, "2026-12-04T00:00:00Z"),
        ("2026-12-04T08:00:00Z", true, "2026-12-04T12:00:00Z"),
        ("2026-12-04T12:00:00Z", false, "2026-12-05T08:00:00Z"),
        // 18:00 in New York is 23:00; that Sunday it is open before.
        ("2026-12-20T22:59:00Z", true, "2026-12-20T23:00:00Z"),
        ("2026-12-20T23:00:00Z", false, "2027-01-07T14:30:00Z"),
    ] {
        check(&windows, now, open, until);
    }
    let reason = windows.at(at("2026-12-24T12:00:00Z")).hold.unwrap();
    assert_eq!(
        reason.message,
        "a closed time of this cluster (end of the year); it opens Thu 2027-01-07 14:30 UTC"
    );
}

#[test]
fn without_windows_it_is_open_but_in_closed_times() {
    check(&Windows::default(), "2026-12-01T00:00:00Z", true, "");
    let days = windows(
        " closed: [{days: [mon, tue, wed, thu, fri], from: '09:00', until: '17:00', timeZone: Asia/Tokyo}]\n",
    );
    check(&days, "2026-12-01T00:00:00Z", false, "2026-12-01T08:00:00Z");
    check(&days, "2026-12-04T08:00:00Z", true, "2026-12-07T00:00:00Z");
    let reason = days.at(at("2026-12-01T00:00:00Z")).hold.unwrap();
    assert_eq!(
        reason.message,
        "a closed time of this cluster; it opens Tue 2026-12-01 17:00 Asia/Tokyo (2026-12-01 08:00 UTC)"
    );
}

#[test]
fn clocks_that_are_changed_move_windows_as_the_wall_shows_them() {
    // In Berlin 02:00 became 03:00 on 2026-03-29 at 01:00 UTC, and 03:00 became 02:00 on 2026-10-25 at 01:00 UTC.
    let berlin = |from: &str, until: &str| {
        windows(&format!(
            " windows: [{{days: [sun], from: '{from}', until: '{until}', timeZone: Europe/Berlin}}]\n"
        ))
    };
    let next_spring = "2026-04-05T00:30:00Z";
    for (from, until, now, open, change) in [
        // Across the gap: three hours by the clock, two in fact.
        (
            "01:00",
            "04:00",
            "2026-03-29T00:00:00Z",
            true,
            "2026-03-29T02:00:00Z",
        ),
        // In the gap: not that day.
        (
            "02:15",
            "02:45",
            "2026-03-29T00:00:00Z",
            false,
            "2026-04-05T00:15:00Z",
        ),
        // From inside the gap: from its end.
        (
            "02:30",
            "03:30",
            "2026-03-29T00:59:00Z",
            false,
            "2026-03-29T01:00:00Z",
        ),
        (
            "02:30",
            "03:30",
            "2026-03-29T01:00:00Z",
            true,
            "2026-03-29T01:30:00Z",
        ),
        // Until inside the gap: until it begins.
        (
            "01:30",
            "02:30",
            "2026-03-29T00:30:00Z",
            true,
            "2026-03-29T01:00:00Z",
        ),
        (
            "01:30",
            "02:30",
            "2026-03-29T01:00:00Z",
            false,
            "2026-04-04T23:30:00Z",
        ),
        ("02:30", "03:30", "2026-03-29T01:30:00Z", false, next_spring),
        // Across the fold: two hours by the clock, three in fact.
        (
            "01:30",
            "03:30",
            "2026-10-24T23:30:00Z",
            true,
            "2026-10-25T02:30:00Z",
        ),
        // In it: twice.
        (
            "02:15",
            "02:45",
            "2026-10-25T00:15:00Z",
            true,
            "2026-10-25T00:45:00Z",
        ),
        (
            "02:15",
            "02:45",
            "2026-10-25T00:45:00Z",
            false,
            "2026-10-25T01:15:00Z",
        ),
        (
            "02:15",
            "02:45",
            "2026-10-25T01:15:00Z",
            true,
            "2026-10-25T01:45:00Z",
        ),
        // From inside it: to where the clock goes back, and again.
        (
            "02:30",
            "03:30",
            "2026-10-25T00:30:00Z",
            true,
            "2026-10-25T01:00:00Z",
        ),
        (
            "02:30",
            "03:30",
            "2026-10-25T01:00:00Z",
            false,
            "2026-10-25T01:30:00Z",
        ),
        (
            "02:30",
            "03:30",
            "2026-10-25T01:30:00Z",
            true,
            "2026-10-25T02:30:00Z",
        ),
    ] {
        check(&berlin(from, until), now, open, change);
    }
}

#[test]
fn a_clusters_own_windows_stand_in_place_of_the_fleets_and_closed_times_of_both_count() {
    let mut fleet = Maintenance::default();
    fleet.windows = vec![Window::new("22:00", "24:00")];
    fleet.closed = vec![Window::new("23:00", "24:00").on(["fri"])];
    let mut own = Maintenance::default();
    own.windows = vec![Window::new("01:00", "02:00")];
    own.closed = vec![Window::new("01:30", "02:00").reason("backups")];
    let both = own.clone().within(&fleet);
    assert_eq!((&both.windows, both.closed.len()), (&own.windows, 2));
    assert_eq!(Maintenance::default().within(&fleet), fleet);
    assert!(Maintenance::default().within(&Maintenance::default()).is_always());
}

#[test]
fn nonsense_times_have_a_line_and_a_reason() {
    let many = format!(" windows: [{}]\n", "{from: '1:00', until: '2:00'},".repeat(33));
    let cases = [
        (
            " windows: [{from: '25:00', until: '04:00'}]",
            "2: `25:00` is not a time: write `22:00`",
        ),
        (
            " windows: [{from: '10:60', until: '04:00'}]",
            "2: `10:60` is not a time",
        ),
        (
            " windows: [{from: '24:01', until: '04:00'}]",
            "2: `24:01` is not a time",
        ),
        (
            " windows: [{from: 22h, until: '04:00'}]",
            "2: `22h` is not a time",
        ),
        (
            " windows: [{from: '+1:00', until: '04:00'}]",
            "2: `+1:00` is not a time",
        ),
        (
            " windows: [{until: '04:00'}]",
            "2: `from` and `until` must both be given",
        ),
        (
            " windows: [{from: '22:00'}]",
            "2: `from` and `until` must both be given",
        ),
        (
            " windows: [{from: '24:00', until: '04:00'}]",
            "2: `24:00` is the end of a day",
        ),
        (
            " windows:\n - {from: '1:00', until: '2:00'}\n - {from: '04:00', until: '04:00'}",
            "4: it ends when it begins, at 04:00",
        ),
        (
            " windows: [{from: '00:00', until: '24:00', days: []}]",
            "2: `days` is empty, so it never comes",
        ),
        (
            " windows: [{from: '00:00', until: '24:00', days: [monday]}]",
            "2: `monday` is not a day: write mon, tue",
        ),
        (
            " windows: [{from: '1:00', until: '2:00', timeZone: Mars/Olympus}]",
            "2: `Mars/Olympus` is not a time zone",
        ),
        (
            " windows: [{from: '1:00', until: '2:00', timeZone: '+02:00'}]",
            "2: `+02:00` is not a time zone",
        ),
        (
            " windows: [{from: '1:00', until: '2:00', timezone: UTC}]",
            "2: unknown field `timezone`",
        ),
        (
            " windows: [{from: '1:00', until: 2026-12-20 18:00}]",
            "2: `1:00` and `2026-12-20 18:00` must both be times of a day",
        ),
        (
            " closed: [{from: 2026-02-30 18:00, until: 2026-12-20 18:00}]",
            "2: `2026-02-30 18:00` is not a time",
        ),
        (
            " closed: [{from: 2026-12-20 24:00, until: 2026-12-21 18:00}]",
            "2: `2026-12-20 24:00` is not a time",
        ),
        (
            " closed: [{from: 2026-12-21 18:00, until: 2026-12-20 18:00}]",
            "2: it ends at 2026-12-20T18:00:00, before it begins",
        ),
        (
            " closed: [{from: 2026-12-20 18:00, until: 2026-12-21 18:00, days: [mon]}]",
            "2: `days` says nothing about a time that comes once",
        ),
        (
            " windows: [{from: '1:00', until: '2:00'}]\n closed: [{from: '00:00', until: '24:00'}]",
            " it never opens",
        ),
        (
            " closed: [{from: '00:00', until: '13:00'}, {from: '12:00', until: '01:00'}]",
            " it never opens",
        ),
        (&many, " 33 windows and closed times are too many: 32 is the most"),
        (" window: []", "2: unknown field `window`"),
        (" windows: always", "2:"),
    ];
    for (text, expect) in cases {
        let text = format!("maintenance:\n{text}\n");
        let error = read_settings::<FleetFile>(Path::new("f"), &text)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("f:"), "{text}: {error}");
        assert!(error.contains(expect), "{text}: {error}");
    }
    let text = "clusters:\n  eu-1:\n    maintenance: {windows: [{from: '1:00', until: '1:00'}]}\n";
    let error = read_settings::<RegistryFile>(Path::new("f"), text)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("f:3: it ends when it begins"), "{error}");
}

#[test]
fn times_that_another_registry_says_and_that_make_no_sense_are_never_open() {
    let mut maintenance = Maintenance::default();
    maintenance.windows = vec![Window::new("1:00", "2:00").zone("Nowhere")];
    let hold = Windows::new(&maintenance)
        .at(at("2026-12-01T01:30:00Z"))
        .hold
        .unwrap();
    assert!(hold.message.contains("`Nowhere` is not a time zone"), "{hold}");
}

/// What a window of a week says, minute by minute of what a clock shows: the day from Monday, and the minute of it.
fn shows(window: &Window, day: usize, minute: u16) -> bool {
    let clock = |text: &str| text[..2].parse::<u16>().unwrap() * 60 + text[3..].parse::<u16>().unwrap();
    let (from, until) = (clock(&window.from), clock(&window.until));
    let length = if from < until {
        until - from
    } else {
        until + 1440 - from
    };
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let on = |day: usize| {
        window
            .days
            .as_ref()
            .is_none_or(|days| days.iter().any(|d| d == names[day]))
    };
    // Counted from each day's beginning, today's and yesterday's.
    [(day, minute), ((day + 6) % 7, minute + 1440)]
        .into_iter()
        .any(|(day, minute)| on(day) && (from..from + length).contains(&minute))
}

fn some_window() -> impl Strategy<Value = Window> {
    let zones = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "UTC",
        "Asia/Kathmandu",
    ];
    let days = proptest::sample::subsequence(vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 1..=7);
    let quarter = |quarter: u16| format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
    (
        days,
        0..96_u16,
        1..96_u16,
        proptest::sample::select(zones.to_vec()),
    )
        .prop_map(move |(days, from, length, zone)| {
            Window::new(quarter(from), quarter((from + length) % 96))
                .on(days)
                .zone(zone)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Beside a model that looks at every minute, at times of the year in which clocks are changed and others.
    #[test]
    fn changes_are_where_a_walk_by_minutes_finds_them(
        open in proptest::collection::vec(some_window(), 0..3),
        closed in proptest::collection::vec(some_window(), 0..3),
        month in 0..12_i64,
        minute in 0..(14 * 1440_i64),
    ) {
        let mut maintenance = Maintenance::default();
        (maintenance.windows, maintenance.closed) = (open, closed);
        let start: Timestamp = "2026-01-20T00:00:00Z".parse().unwrap();
        let start = start + SignedDuration::from_hours(month * 730) + SignedDuration::from_mins(minute);
        let is_open = |at: Timestamp| {
            let shown = |window: &Window| {
                let zoned = at.in_tz(window.time_zone.as_deref().unwrap()).unwrap();
                let day = usize::try_from(zoned.weekday().to_monday_zero_offset()).unwrap();
                shows(window, day, u16::try_from(zoned.hour()).unwrap() * 60 + u16::try_from(zoned.minute()).unwrap())
            };
            !maintenance.closed.iter().any(shown)
                && (maintenance.windows.is_empty() || maintenance.windows.iter().any(shown))
        };
        let standing = Windows::new(&maintenance).at(tick(start));
        let now = is_open(start);
        prop_assert_eq!(standing.hold.is_none(), now);
        let mut minutes = (1..10 * 1440_i64).map(|minute| start + SignedDuration::from_mins(minute));
        match minutes.find(|at| is_open(*at) != now) {
            Some(change) => prop_assert_eq!(standing.until, Some(tick(change))),
            None => prop_assert!(standing.until.is_none_or(|until| until.since(tick(start)).0 >= 10 * 86_400_000 - 60_000)),
        }
    }
}
