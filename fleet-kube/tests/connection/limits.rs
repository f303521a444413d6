//! What is asked of a cluster at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fleet_core::{Answer, Identity};
use fleet_kube::{ConnectionOptions, WatchEvent};
use futures_util::{StreamExt as _, future::join_all};
use tokio::time::Instant;

use crate::fake::{Act, Fake, config_map, get, gvk, json_reply, open_line};

fn silent() -> Fake {
    Fake::new(|seen, _| seen.path.contains("/shop/").then_some(Act::Silence))
}

fn working() -> Fake {
    Fake::new(|seen, _| {
        seen.path
            .contains("/shop/")
            .then(|| json_reply(200, &config_map("a", "1")))
    })
}

#[tokio::test(start_paused = true)]
async fn requests_under_way_are_limited_over_all_identities_of_a_cluster() {
    let fake = silent();
    let options = ConnectionOptions::default()
        .concurrent_requests(3)
        .head_timeout(Duration::from_secs(20));
    let connection = fake.connect(options.retry_time(Duration::ZERO)).await;
    let other = connection.as_identity(&Identity::new("u")).unwrap();
    let start = Instant::now();
    let request = get("a");
    let both = (0..6).map(|n| if n % 2 == 0 { &connection } else { &other });
    let all = join_all(both.map(|connection| connection.execute(&request)));
    let watched = async {
        tokio::time::sleep(Duration::from_secs(19)).await;
        fake.seen().len()
    };
    let (_, at_first) = tokio::join!(all, watched);
    assert_eq!((at_first, fake.seen().len()), (3, 6));
    assert_eq!(
        start.elapsed(),
        Duration::from_secs(40),
        "the second three went when the first were over"
    );
}

#[tokio::test(start_paused = true)]
async fn a_frozen_cluster_costs_another_nothing() {
    let (frozen, healthy) = (silent(), working());
    let options = ConnectionOptions::default().concurrent_requests(2).rate(50, 10);
    let (stuck, fine) = (
        frozen.connect(options.clone()).await,
        healthy.connect(options).await,
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    let request = get("a");
    let stuck = tokio::spawn({
        let request = request.clone();
        async move { join_all((0..20).map(|_| stuck.execute(&request))).await }
    });
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(frozen.seen().len(), 2);
    let start = Instant::now();
    let answers = join_all((0..10).map(|_| fine.execute(&request))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Answer::Object(_))));
    assert_eq!(start.elapsed(), Duration::ZERO);
    stuck.abort();
}

#[tokio::test(start_paused = true)]
async fn requests_per_second_are_limited() {
    let fake = working();
    let connection = fake.connect(ConnectionOptions::default().rate(10, 5)).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let start = Instant::now();
    let request = get("a");
    join_all((0..25).map(|_| connection.execute(&request))).await;
    let took = start.elapsed();
    assert!(
        (1900..=2100).contains(&took.as_millis()),
        "5 at once, 20 at 10 per second: {took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn open_watches_do_not_count() {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = opened.clone();
    let fake = Fake::new(move |seen, _| {
        if seen.query.contains_key("watch") {
            count.fetch_add(1, Ordering::Relaxed);
            // Kept open: the sender is never dropped.
            let (line, act) = open_line();
            std::mem::forget(line);
            return Some(act);
        }
        seen.path
            .contains("/shop/")
            .then(|| json_reply(200, &config_map("a", "1")))
    });
    let connection = fake
        .connect(ConnectionOptions::default().concurrent_requests(1))
        .await;
    let kind = gvk("v1", "ConfigMap");
    let mut watches: Vec<_> = (0..5)
        .map(|_| Box::pin(connection.watch(&kind, None, None)))
        .collect();
    for watch in &mut watches {
        assert!(matches!(watch.next().await, Some(WatchEvent::Reset)));
    }
    assert_eq!(opened.load(Ordering::Relaxed), 5);
    assert!(matches!(connection.execute(&get("a")).await, Answer::Object(_)));
}
