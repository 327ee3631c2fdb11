//! A set of WIT packages as a flat list: each item by its name, with its type in words.

use std::collections::BTreeMap;

use wit_parser::{Function, Handle, Resolve, Type, TypeDef, TypeDefKind, TypeId, TypeOwner, WorldItem};

/// `a:b/interface@0.1 function` → `func(x: u32) -> string`, for all packages. Of a version only what tells breaks apart
/// counts: 0.1.0 and 0.1.7 are one.
pub(crate) fn items(resolve: &Resolve) -> BTreeMap<String, String> {
    let mut items = BTreeMap::new();
    for (id, interface) in &resolve.interfaces {
        let Some(place) = resolve.id_of(id).map(|id| of_line(&id)) else { continue };
        for (name, function) in &interface.functions {
            items.insert(format!("{place} {name}"), signature(resolve, function));
        }
        for (name, id) in &interface.types {
            items.insert(format!("{place} {name}"), definition(resolve, &resolve.types[*id]));
        }
    }
    for (_, world) in &resolve.worlds {
        let Some(package) = world.package else { continue };
        let place = of_line(&resolve.id_of_name(package, &world.name));
        for (kind, all) in [("import", &world.imports), ("export", &world.exports)] {
            for (key, item) in all {
                let name = of_line(&resolve.name_world_key(key));
                let what = match item {
                    WorldItem::Interface { .. } => "interface".to_owned(),
                    WorldItem::Function(function) => signature(resolve, function),
                    WorldItem::Type { id, .. } => definition(resolve, &resolve.types[*id]),
                };
                items.insert(format!("{place} {kind} {name}"), what);
            }
        }
    }
    items
}

/// The id with the version that a host is asked for: `0.1` of 0.1.x, `2` of 2.x.y.
fn of_line(id: &str) -> String {
    let Some((name, version)) = id.split_once('@') else { return id.to_owned() };
    let mut parts = version.split('.');
    match (parts.next(), parts.next()) {
        (Some("0"), Some(minor)) => format!("{name}@0.{minor}"),
        (Some(major), _) => format!("{name}@{major}"),
        (None, _) => id.to_owned(),
    }
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let kind = if function.kind.is_async() { "async func" } else { "func" };
    let params = function.params.iter().map(|param| format!("{}: {}", param.name, named(resolve, &param.ty)));
    let params = params.collect::<Vec<_>>().join(", ");
    let result = function.result.map(|result| format!(" -> {}", named(resolve, &result))).unwrap_or_default();
    format!("{kind}({params}){result}")
}

/// A type as it is referred to: by its name where it has one, however it is called where it is used.
fn named(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Id(id) => by_id(resolve, *id),
        plain => format!("{plain:?}").to_lowercase(),
    }
}

fn by_id(resolve: &Resolve, id: TypeId) -> String {
    let def = &resolve.types[id];
    // What `use` brings in is what it was where it comes from.
    if let TypeDefKind::Type(Type::Id(other)) = def.kind {
        return by_id(resolve, other);
    }
    match (&def.name, def.owner) {
        (Some(name), TypeOwner::Interface(interface)) => {
            format!("{}.{name}", of_line(&resolve.id_of(interface).unwrap_or_default()))
        }
        (Some(name), _) => name.clone(),
        (None, _) => definition(resolve, def),
    }
}

fn definition(resolve: &Resolve, def: &TypeDef) -> String {
    let ty = |ty: &Type| named(resolve, ty);
    let maybe = |inner: &Option<Type>| inner.as_ref().map_or_else(|| "_".to_owned(), ty);
    let join = |parts: Vec<String>| parts.join(", ");
    match &def.kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter().map(|field| format!("{}: {}", field.name, ty(&field.ty)));
            format!("record {{ {} }}", join(fields.collect()))
        }
        TypeDefKind::Variant(variant) => {
            let case = |case: &wit_parser::Case| match &case.ty {
                Some(inner) => format!("{}({})", case.name, ty(inner)),
                None => case.name.clone(),
            };
            format!("variant {{ {} }}", join(variant.cases.iter().map(case).collect()))
        }
        TypeDefKind::Enum(cases) => {
            format!("enum {{ {} }}", join(cases.cases.iter().map(|case| case.name.clone()).collect()))
        }
        TypeDefKind::Flags(flags) => {
            format!("flags {{ {} }}", join(flags.flags.iter().map(|flag| flag.name.clone()).collect()))
        }
        TypeDefKind::Tuple(tuple) => format!("tuple<{}>", join(tuple.types.iter().map(ty).collect())),
        TypeDefKind::Option(inner) => format!("option<{}>", ty(inner)),
        TypeDefKind::Result(result) => format!("result<{}, {}>", maybe(&result.ok), maybe(&result.err)),
        TypeDefKind::List(inner) => format!("list<{}>", ty(inner)),
        TypeDefKind::Handle(Handle::Own(id)) => format!("own<{}>", by_id(resolve, *id)),
        TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", by_id(resolve, *id)),
        TypeDefKind::Resource => "resource".to_owned(),
        TypeDefKind::Type(inner) => ty(inner),
        TypeDefKind::Future(inner) => format!("future<{}>", maybe(inner)),
        TypeDefKind::Stream(inner) => format!("stream<{}>", maybe(inner)),
        other => panic!("a {} has no word here yet", other.as_str()),
    }
}
