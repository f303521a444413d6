//! `PUT`, and what a patch comes down to.

use std::sync::Arc;

use fleet_diff::Write;
use serde_json::Value;

use super::{
    body::object,
    generation::{count, write_template_generation},
    patch::check_preconditions,
    stamp,
};
use crate::{
    server::{Ask, Said, Server},
    status::Status,
    store::{Key, Stored},
};

impl Server {
    pub(crate) fn update(&mut self, ask: &Ask<'_>) -> Result<Said, Status> {
        if ask.place.subresource.as_deref() == Some("scale") {
            return self.update_scale(ask);
        }
        let value = ask.placed(ask.json()?)?;
        let name = ask.place.name.clone().unwrap_or_default();
        let key = ask.key(&name);
        let Some(live) = self.store.get(&ask.table(), &key).cloned() else {
            return Err(Status::not_found(ask.about()));
        };
        self.replace(ask, &key, &live, value)
    }

    /// Puts a whole object in the place of another, as far as the endpoint writes it.
    pub(super) fn replace(
        &mut self,
        ask: &Ask<'_>,
        key: &Key,
        live: &Arc<Stored>,
        value: Value,
    ) -> Result<Said, Status> {
        check_preconditions(ask, &value, Some(live))?;
        if ask.place.subresource.as_deref() == Some("finalize") {
            return self.finalize(ask, key, live, value);
        }
        let before = Server::at_version(&live.object, &ask.api_version())?;
        let sent = object(value)?;
        self.check_strictly(ask, &sent)?;
        let (manager, time) = (ask.manager(), stamp(ask.now));
        let prediction = Write::update(&sent, &manager, &self.schemas)
            .to(Some(&before))
            .through(ask.place.subresource.as_deref().unwrap_or(""))
            .at(&time)
            .regardless_of_doubt(true)
            .predict();
        let mut after = ask.predicted(prediction, &key.name)?.to_json();
        self.warn_of_unknown(ask, &sent, &after);
        count(&ask.resource, &before.to_json(), &mut after);
        write_template_generation(&ask.resource, &before.to_json(), &mut after);
        self.finish(ask, key, Some(live), after)
    }
}
