//! The engine alone, on ten thousand objects. `cargo xtask bench-engine`.

use std::time::{Duration, Instant};

use fleet_benches::{Failure, machine, median, work};
use fleet_core::{
    Answer, Approval, CallId, ClusterTypes, Command, DeleteBudget, Engine, EngineOptions, Event, GroupKind,
    Inventory, InventoryId, KindInfo, KindMap, LedgerAnswer, LedgerContent, Live, Millis, Object, Parts,
    Request, Target, Tick,
    health::{Health, HealthState},
};
use serde_json::{Value, json};

const OBJECTS: usize = 10_000;
const EVENTS: usize = 2_000;
const WAVES: usize = 10;

fn main() -> Result<(), Failure> {
    println!("the engine alone, {OBJECTS} objects (Deployment, Service, ConfigMap, ServiceAccount)");
    println!("{}\n", machine());
    let objects: Vec<Object> = work::objects(OBJECTS, "one")
        .into_iter()
        .map(Object::from_json)
        .collect::<Result<_, _>>()?;
    let inventory = Inventory::new("1", objects.clone())?;

    // First of all, because memory that was used and given back would count as free.
    let before = resident()?;
    let (world, took) = converged(&inventory, false)?;
    row("first pass, answers included", took);
    let per_object = resident()?.saturating_sub(before) / OBJECTS;
    println!(
        "{:<52} {per_object:>8} B",
        "memory per object, definitions not counted"
    );
    drop(world);

    let mut spans = Vec::new();
    for _ in 0..5 {
        let mut options = EngineOptions::default();
        options.approval = Approval::Never;
        let mut world = World::new(options);
        let begin = Instant::now();
        world.push(Event::Inventory(Ok(fleet_core::Known::Objects(
            inventory.clone(),
        ))));
        let planned = world.engine.plan().changes.len();
        spans.push(begin.elapsed());
        if planned != OBJECTS {
            return Err(format!("{planned} changes planned").into());
        }
    }
    row("first planning of all objects", median(spans));

    let (mut world, _) = converged(&inventory, true)?;
    let events = |kind: fn(&mut Value, usize)| -> Result<Vec<Event>, Failure> {
        let mut events = Vec::new();
        for i in 0..EVENTS {
            let mut live = world.live[(i * 7) % OBJECTS].clone();
            live["metadata"]["resourceVersion"] = json!((1_000_000 + i).to_string());
            kind(&mut live, i);
            events.push(Event::Seen(Live::new(Object::from_json(live)?)?));
        }
        Ok(events)
    };
    let touched = events(|live, i| live["status"] = json!({"observedGeneration": i}))?;
    let drifted = events(|live, _| live["metadata"]["labels"]["text"] = json!("two"))?;
    row("one event that changes only the status", world.each(touched));
    row(
        "one event that shows drift, up to its question",
        world.each(drifted),
    );

    let begin = Instant::now();
    world.push(Event::Replan);
    row("forced full plan, converged", begin.elapsed());

    let waves = work::objects(OBJECTS, "one")
        .into_iter()
        .enumerate()
        .map(|(i, mut object)| {
            object["metadata"]["annotations"]["fleet.internal/wave"] = json!((i % WAVES).to_string());
            Object::from_json(object)
        });
    let waves = Inventory::new("1", waves.collect::<Result<Vec<_>, _>>()?)?;
    let (mut world, took) = converged(&waves, false)?;
    row(&format!("first pass in {WAVES} waves"), took);
    let begin = Instant::now();
    world.push(Event::Inventory(Ok(fleet_core::Known::Empty("2".into()))));
    let status = world.engine.status();
    if status.owned > 0 {
        return Err(format!("{} left, held: {:?}", status.owned, status.held).into());
    }
    row("all of them deleted, the last wave first", begin.elapsed());
    Ok(())
}

/// Everything is healthy at once.
struct Well;

impl Health for Well {
    fn health(&self, _: &Object) -> HealthState {
        HealthState::Current
    }
}

/// An engine that has made the inventory true, and how long that took.
fn converged(inventory: &Inventory, keep: bool) -> Result<(World, Duration), Failure> {
    let mut options = EngineOptions::default();
    options.budget = DeleteBudget::new(1_000_000, 100, 1_000_000);
    let mut world = World::new(options);
    world.keep = keep;
    let begin = Instant::now();
    world.push(Event::Inventory(Ok(fleet_core::Known::Objects(
        inventory.clone(),
    ))));
    if world.engine.status().is_clean() {
        Ok((world, begin.elapsed()))
    } else {
        let waiting = world.engine.status().waiting;
        let first = waiting.first_key_value();
        Err(format!("not converged: {} wait, such as {first:?}", waiting.len()).into())
    }
}

fn row(name: &str, span: Duration) {
    println!("{name:<52} {:>10}", format!("{:.1} us", span.as_secs_f64() * 1e6));
}

/// Resident memory, in bytes.
fn resident() -> Result<usize, Failure> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages: usize = text.split(' ').nth(1).ok_or("no resident size")?.parse()?;
    Ok(pages * 4096)
}

/// Answers everything the engine asks at once, as a server without objects of others would.
struct World {
    engine: Engine,
    /// What was created, where that is wanted: it takes memory too.
    live: Vec<Value>,
    keep: bool,
    made: usize,
    now: Tick,
}

impl World {
    fn new(options: EngineOptions) -> Self {
        let target = Target::new("bench".into(), InventoryId::new("fleet").expect("a valid id"));
        Self {
            engine: Engine::new(target, Parts::default().health(Well), options),
            live: Vec::new(),
            keep: false,
            made: 0,
            now: Tick(1_000_000),
        }
    }

    fn push(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let mut commands = Vec::new();
            self.engine.step(event, self.now, &mut commands);
            for command in commands {
                events.extend(self.carry_out(command));
            }
        }
    }

    /// The time of one step, without carrying anything out.
    fn each(&mut self, events: Vec<Event>) -> Duration {
        let mut spans = Vec::new();
        for event in events {
            let mut commands = Vec::new();
            let begin = Instant::now();
            self.engine.step(event, self.now, &mut commands);
            spans.push(begin.elapsed());
            for command in commands {
                // Questions are answered outside the measurement, so that the next event meets a settled engine.
                if let Some(event) = self.carry_out(command) {
                    self.push(event);
                }
            }
        }
        median(spans)
    }

    fn carry_out(&mut self, command: Command) -> Option<Event> {
        Some(match command {
            Command::Send { call, request, .. } => self.answer(call, &request),
            Command::LoadLedger => Event::Ledger(Ok(LedgerAnswer::Known(LedgerContent::default()))),
            Command::Record { call, .. } => Event::Recorded(call, Ok(())),
            Command::Discover => Event::Kinds(kinds()),
            // Of which it knows nothing: what is not foreseen is asked.
            Command::LearnTypes(_) => Event::Types(ClusterTypes::default()),
            Command::Reserve { call, .. } => Event::Reserved(call, Ok(self.now + Millis::from_mins(1))),
            Command::List { call, .. } => Event::Listed(call, Ok(Vec::new())),
            _ => return None,
        })
    }

    fn answer(&mut self, call: CallId, request: &Request) -> Event {
        let (document, dry_run) = match request {
            Request::Apply {
                document, dry_run, ..
            } => (document, dry_run),
            Request::Delete { .. } => return Event::Answered(call, Answer::Deleted),
            _ => return Event::Answered(call, Answer::Absent),
        };
        let mut value = document.to_json();
        let version = if *dry_run { 1_000_000 } else { self.made + 1 };
        value["metadata"]["uid"] = json!(format!("00000000-0000-0000-0000-{:012}", self.made));
        value["metadata"]["resourceVersion"] = json!(version.to_string());
        if !*dry_run && self.keep {
            self.live.push(value.clone());
        }
        self.made += usize::from(!*dry_run);
        match Object::from_json(value)
            .ok()
            .and_then(|object| Live::new(object).ok())
        {
            Some(live) => Event::Answered(call, Answer::Created(live)),
            None => Event::Answered(call, Answer::Absent),
        }
    }
}

fn kinds() -> KindMap {
    let mut map = KindMap::default();
    let kinds = [
        ("apps", "Deployment", "deployments"),
        ("", "Service", "services"),
        ("", "ConfigMap", "configmaps"),
        ("", "ServiceAccount", "serviceaccounts"),
    ];
    for (group, kind, plural) in kinds {
        map.kinds.insert(
            GroupKind::new(group, kind),
            KindInfo::new(plural, true, ["v1".to_owned()]),
        );
    }
    map
}
