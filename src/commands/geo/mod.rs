//! Places: sorted sets whose scores are geohashes.

pub mod search;

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::commands::sorted_set;
use crate::data::geohash::Place;
use crate::data::number;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};

pub const COMMANDS: &[Command] = &[GEOADD, GEODIST, GEOHASH, GEOPOS];

/// A longitude and a latitude that are on the map.
fn parse_place(args: &mut Args) -> Result<Place> {
    let place = Place { longitude: args.double()?, latitude: args.double()? };
    if place.is_valid() {
        return Ok(place);
    }
    Err(format_error!("ERR invalid longitude,latitude pair {:.6},{:.6}", place.longitude, place.latitude))
}

/// How many meters one of the unit has.
fn parse_unit(args: &mut Args) -> Result<f64> {
    match args.next()?.to_ascii_lowercase().as_slice() {
        b"m" => Ok(1.0),
        b"km" => Ok(1000.0),
        b"ft" => Ok(0.3048),
        b"mi" => Ok(1609.34),
        _ => Err(Error::new("ERR unsupported unit provided. please use M, KM, FT, MI")),
    }
}

fn write_place(reply: &mut ReplyWriter, place: Place) {
    reply.array(2);
    reply.double(place.longitude);
    reply.double(place.latitude);
}

fn write_distance(reply: &mut ReplyWriter, distance: f64) {
    reply.bulk(&number::f64_fixed_text(distance, 4));
}

pub const GEOADD: Command = Command {
    name: "GEOADD",
    syntax: "key [NX | XX]@6.2.0 [change=CH@6.2.0] (longitude latitude member) ...",
    summary: "Adds places, or moves them, in a geospatial index.",
    since: "3.2.0",
    complexity: "O(log(N)) for each member, with N the size of the index",
    group: Group::Geo,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_write().update()],
    history: &[("6.2.0", "Knows `CH`, `NX` and `XX`.")],
    run: geoadd,
    ..Command::BASE
};

fn geoadd(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let (how, counts_changes) = sorted_set::parse_how(args, &["NX", "XX", "CH"]);
    if !args.left().is_multiple_of(3) || args.is_empty() || how.nx && how.xx {
        return Err(error::SYNTAX);
    }
    let pairs = (0..args.left() / 3)
        .map(|_| Ok((parse_place(args)?.hash() as f64, args.next()?)))
        .collect::<Result<Vec<_>>>()?;
    sorted_set::add(ctx, key, &pairs, how, counts_changes, reply)
}

pub const GEODIST: Command = Command {
    name: "GEODIST",
    syntax: "key member1 member2 [M | KM | FT | MI]",
    summary: "Measures the distance between two places of a geospatial index.",
    since: "3.2.0",
    group: Group::Geo,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: geodist,
    ..Command::BASE
};

fn geodist(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, one, other) = (args.next()?, args.next()?, args.next()?);
    if args.left() > 1 {
        return Err(error::SYNTAX);
    }
    let unit = if args.is_empty() { 1.0 } else { parse_unit(args)? };
    let scores = ctx.sorted_set(key)?.map(|set| (set.score(one), set.score(other)));
    match scores {
        Some((Some(one), Some(other))) => {
            write_distance(reply, Place::of_score(one).distance(Place::of_score(other)) / unit);
        }
        _ => reply.null(),
    }
    Ok(())
}

pub const GEOHASH: Command = Command {
    name: "GEOHASH",
    syntax: "key [member ...]",
    summary: "Gets places of a geospatial index as geohash strings.",
    since: "3.2.0",
    complexity: "O(1) for each member",
    group: Group::Geo,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: geohash,
    ..Command::BASE
};

fn geohash(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let set = ctx.sorted_set(args.next()?)?;
    reply.array(args.left());
    for member in args.rest() {
        let place = set.and_then(|set| set.score(member)).map(Place::of_score);
        match place {
            Some(place) => reply.bulk(&place.text()),
            None => reply.null(),
        }
    }
    Ok(())
}

pub const GEOPOS: Command = Command {
    name: "GEOPOS",
    syntax: "key [member ...]",
    summary: "Gets the longitude and latitude of places in a geospatial index.",
    since: "3.2.0",
    complexity: "O(1) for each member",
    group: Group::Geo,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: geopos,
    ..Command::BASE
};

fn geopos(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let set = ctx.sorted_set(args.next()?)?;
    reply.array(args.left());
    for member in args.rest() {
        match set.and_then(|set| set.score(member)) {
            Some(score) => write_place(reply, Place::of_score(score)),
            None => reply.null_array(),
        }
    }
    Ok(())
}
