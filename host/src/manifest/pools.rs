//! The sections `[pools.*]`.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use clockbox_core::model::{Pool, PoolName};

use super::{
    reader::{Field, Findings, TableReader},
    source::Spot,
};

/// Reads the pools; the pool `default` exists in any case.
pub(super) fn read(table: Option<TableReader<'_>>) -> BTreeMap<PoolName, Pool> {
    let default = PoolName::default_pool();
    let mut pools = BTreeMap::from([(default.clone(), Pool::new(default))]);
    let Some(table) = table else { return pools };
    for (name, spot, field) in table.entries() {
        let id = read_name::<PoolName>(name, spot, &field.key, table.findings);
        let pool = read_pool(&field, id.clone().unwrap_or_else(PoolName::default_pool));
        if let (Some(id), Some(pool)) = (id, pool) {
            pools.insert(id, pool);
        }
    }
    pools
}

fn read_pool(field: &Field<'_>, name: PoolName) -> Option<Pool> {
    let table = field.table("{ max_instances = 20 }")?;
    let mut pool = Pool::new(name);
    if let Some(most) = table.field("max_instances").and_then(|field| read_max_instances(&field)) {
        pool.max_instances = most;
    }
    if let Some(queue) = table.field("queue").and_then(|field| field.count(0)) {
        pool.queue = queue;
    }
    table.finish(&[("size", "the cap is called max_instances")]);
    Some(pool)
}

/// A cap on instances: at least one.
pub(super) fn read_max_instances(field: &Field<'_>) -> Option<u32> {
    if matches!(field.node.value, super::tree::Value::Whole(0)) {
        let hint =
            "with no instance nothing could ever run; to keep a job from running, set enabled = false on it";
        field.error("must be at least 1", Some(hint.to_owned()));
        return None;
    }
    field.count(1)
}

/// The name that a key gives to a pool, plugin or job.
pub(super) fn read_name<T: FromStr<Err: Display>>(
    name: &str,
    spot: &Spot,
    key: &str,
    findings: &Findings,
) -> Option<T> {
    match name.parse() {
        Ok(id) => Some(id),
        Err(error) => {
            let text: T::Err = error;
            let whole = text.to_string();
            let (message, hint) = match whole.split_once("; ") {
                Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
                None => (whole, None),
            };
            findings.error(spot, key, message, hint);
            None
        }
    }
}
