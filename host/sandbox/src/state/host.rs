//! The interface `clockbox:state/store`.

use std::time::Duration;

use clockbox_core::model::{StateEntry, check_state_key, format_size};

use super::{TooMuch, View};
use crate::{
    bindings::clockbox::state::store::{Error, Host},
    guest::Guest,
};

impl Guest {
    /// The state as this run sees it, read at the first use.
    async fn state_of(&mut self, key: &str) -> Result<&mut View, Error> {
        self.may_keep_state()?;
        check_state_key(key).map_err(|error| Error::InvalidKey(error.to_string()))?;
        self.whole_state().await
    }

    fn may_keep_state(&self) -> Result<(), Error> {
        if self.facts.spec.rights.state {
            return Ok(());
        }
        self.journal.refuse(
            "use of the job's state refused: not granted; add state = true to the plugin's allow to grant it"
                .to_owned(),
        );
        Err(Error::Denied("the right allow.state is not granted to this job".to_owned()))
    }

    async fn whole_state(&mut self) -> Result<&mut View, Error> {
        let view = match self.state.0.take() {
            Some(view) => view,
            None => {
                let stored = self.facts.sink.state().await.map_err(Error::Unavailable)?;
                Box::new(View::new(stored, self.facts.spec.limits.state))
            }
        };
        Ok(self.state.0.insert(view))
    }

    fn too_much(&self, TooMuch(why): TooMuch) -> Error {
        let limit = format_size(self.facts.spec.limits.state);
        self.journal.refuse(format!(
            "change of the job's state refused: more than the limit of {limit} (raise limits.state to keep more)"
        ));
        Error::QuotaExceeded(why)
    }

    /// A value as it is kept from now on.
    fn kept(&self, value: Vec<u8>, ttl_ms: Option<u64>) -> StateEntry {
        // A time beyond the calendar is as good as none.
        let expires_at = ttl_ms
            .and_then(|ms| chrono::TimeDelta::from_std(Duration::from_millis(ms)).ok())
            .and_then(|ttl| self.facts.sink.now().checked_add_signed(ttl));
        StateEntry { value: value.into(), expires_at }
    }

    async fn put(&mut self, key: String, entry: Option<StateEntry>) -> Result<(), Error> {
        let view = self.state_of(&key).await?;
        match entry {
            Some(entry) => view.set(key, entry).map_err(|why| self.too_much(why)),
            None => {
                view.delete(&key);
                Ok(())
            }
        }
    }
}

impl Host for Guest {
    async fn get(&mut self, key: String) -> Result<Option<Vec<u8>>, Error> {
        let now = self.facts.sink.now();
        Ok(self.state_of(&key).await?.get(&key, now).map(|value| value.to_vec()))
    }

    async fn set(&mut self, key: String, value: Vec<u8>, ttl_ms: Option<u64>) -> Result<(), Error> {
        let entry = self.kept(value, ttl_ms);
        self.put(key, Some(entry)).await
    }

    async fn delete(&mut self, key: String) -> Result<bool, Error> {
        let now = self.facts.sink.now();
        let view = self.state_of(&key).await?;
        let was_there = view.get(&key, now).is_some();
        view.delete(&key);
        Ok(was_there)
    }

    async fn keys(&mut self, prefix: String) -> Result<Vec<String>, Error> {
        self.may_keep_state()?;
        let now = self.facts.sink.now();
        Ok(self.whole_state().await?.keys(&prefix, now))
    }

    async fn compare_and_swap(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
        ttl_ms: Option<u64>,
    ) -> Result<bool, Error> {
        let now = self.facts.sink.now();
        let entry = value.map(|value| self.kept(value, ttl_ms));
        let view = self.state_of(&key).await?;
        let is_so = view.compare(&key, expected.as_deref(), now);
        match is_so.map_err(|why| self.too_much(why))? {
            true => self.put(key, entry).await.map(|()| true),
            false => Ok(false),
        }
    }
}
