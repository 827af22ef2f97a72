//! Searching for places around a place, and storing what was found.

use super::{parse_place, parse_unit, write_distance, write_place};
use crate::command::ctx::Ttl;
use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::commands::list::bulk;
use crate::data::geohash::{Place, Shape};
use crate::data::listpack::Entry;
use crate::data::sorted_set::{ScoreBound, ScoreRange, SortedSet};
use crate::data::value::Value;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] =
    &[GEORADIUS, GEORADIUSBYMEMBER, GEORADIUSBYMEMBER_RO, GEORADIUS_RO, GEOSEARCH, GEOSEARCHSTORE];

/// Which command asks; they differ in how the centre and the shape are given and in where results may go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Radius,
    RadiusReadOnly,
    RadiusByMember,
    RadiusByMemberReadOnly,
    Search,
    SearchStore,
}

impl Form {
    fn is_search(self) -> bool {
        matches!(self, Form::Search | Form::SearchStore)
    }

    fn may_name_store(self) -> bool {
        matches!(self, Form::Radius | Form::RadiusByMember)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Nearest,
    Farthest,
}

#[derive(Default)]
struct Query<'a> {
    /// Nothing while it is not known: the key is missing and a member of it was named.
    centre: Option<Place>,
    from_member: bool,
    shape: Option<Shape>,
    /// Meters a unit.
    unit: f64,
    with_distance: bool,
    with_hash: bool,
    with_place: bool,
    count: Option<usize>,
    any: bool,
    order: Option<Order>,
    store: Option<&'a [u8]>,
    stores_distance: bool,
}

struct Found<'a> {
    member: Entry<'a>,
    score: f64,
    place: Place,
    /// In meters.
    distance: f64,
}

fn place_of_member(set: Option<&SortedSet>, member: &[u8]) -> Result<Option<Place>> {
    let Some(set) = set else { return Ok(None) };
    let score = set.score(member).ok_or(Error::new("ERR could not decode requested zset member"))?;
    Ok(Some(Place::of_score(score)))
}

impl<'a> Query<'a> {
    fn parse(form: Form, set: Option<&SortedSet>, args: &mut Args<'a>) -> Result<Self> {
        let mut query = Query::default();
        match form {
            Form::Radius | Form::RadiusReadOnly => {
                query.centre = Some(parse_place(args)?);
                query.parse_radius(args)?;
            }
            Form::RadiusByMember | Form::RadiusByMemberReadOnly => {
                query.centre = place_of_member(set, args.next()?)?;
                if set.is_some() {
                    query.parse_radius(args)?;
                } else {
                    // Without a key Redis does not look at the radius.
                    args.seek(args.position() + 2);
                }
            }
            Form::Search | Form::SearchStore => {}
        }
        while !args.is_empty() {
            query.parse_option(form, set, args)?;
        }
        query.check(form, args)?;
        Ok(query)
    }

    fn parse_radius(&mut self, args: &mut Args) -> Result {
        let radius = args.double_or(Error::new("ERR need numeric radius"))?;
        if radius < 0.0 {
            return Err(Error::new("ERR radius cannot be negative"));
        }
        self.unit = parse_unit(args)?;
        self.shape = Some(Shape::Circle { radius: radius * self.unit });
        Ok(())
    }

    fn parse_box(&mut self, args: &mut Args) -> Result {
        let width = args.double_or(Error::new("ERR need numeric width"))?;
        let height = args.double_or(Error::new("ERR need numeric height"))?;
        if width < 0.0 || height < 0.0 {
            return Err(Error::new("ERR height or width cannot be negative"));
        }
        self.unit = parse_unit(args)?;
        self.shape = Some(Shape::Box { width: width * self.unit, height: height * self.unit });
        Ok(())
    }

    fn parse_option(&mut self, form: Form, set: Option<&SortedSet>, args: &mut Args<'a>) -> Result {
        let is_circle = matches!(self.shape, Some(Shape::Circle { .. }));
        let is_box = matches!(self.shape, Some(Shape::Box { .. }));
        if args.accept("WITHDIST") {
            self.with_distance = true;
        } else if args.accept("WITHHASH") {
            self.with_hash = true;
        } else if args.accept("WITHCOORD") {
            self.with_place = true;
        } else if args.accept("ANY") {
            self.any = true;
        } else if args.accept("ASC") {
            self.order = Some(Order::Nearest);
        } else if args.accept("DESC") {
            self.order = Some(Order::Farthest);
        } else if args.accept_with("COUNT", 1) {
            let count = args.integer()?;
            if count <= 0 {
                return Err(Error::new("ERR COUNT must be > 0"));
            }
            self.count = Some(usize::try_from(count).unwrap_or(usize::MAX));
        } else if form.may_name_store() && args.accept_with("STORE", 1) {
            (self.store, self.stores_distance) = (Some(args.next()?), false);
        } else if form.may_name_store() && args.accept_with("STOREDIST", 1) {
            (self.store, self.stores_distance) = (Some(args.next()?), true);
        } else if form == Form::SearchStore && args.accept("STOREDIST") {
            self.stores_distance = true;
        } else if form.is_search()
            && (self.from_member || self.centre.is_none())
            && args.accept_with("FROMMEMBER", 1)
        {
            self.centre = place_of_member(set, args.next()?)?;
            self.from_member = true;
        } else if form.is_search() && !self.from_member && args.accept_with("FROMLONLAT", 2) {
            self.centre = Some(parse_place(args)?);
        } else if form.is_search() && !is_box && args.accept_with("BYRADIUS", 2) {
            self.parse_radius(args)?;
        } else if form.is_search() && !is_circle && args.accept_with("BYBOX", 3) {
            self.parse_box(args)?;
        } else {
            return Err(error::SYNTAX);
        }
        Ok(())
    }

    fn check(&self, form: Form, args: &Args) -> Result {
        if (self.store.is_some() || form == Form::SearchStore)
            && (self.with_distance || self.with_hash || self.with_place)
        {
            let name = if form == Form::SearchStore { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            return Err(format_error!(
                "ERR {name} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            ));
        }
        let typed = String::from_utf8_lossy(args.get(0));
        if form.is_search() && !self.from_member && self.centre.is_none() {
            return Err(format_error!(
                "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {typed}"
            ));
        }
        if form.is_search() && self.shape.is_none() {
            return Err(format_error!("ERR exactly one of BYRADIUS and BYBOX can be specified for {typed}"));
        }
        if self.any && self.count.is_none() {
            return Err(Error::new("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }

    /// What lies inside, in the order asked for.
    fn run<'s>(&self, set: &'s SortedSet) -> Vec<Found<'s>> {
        let (Some(centre), Some(shape)) = (self.centre, self.shape) else { return Vec::new() };
        let enough = self.count.filter(|_| self.any).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        'ranges: for (from, to) in shape.ranges(centre) {
            let range = ScoreRange {
                min: ScoreBound { score: from as f64, exclusive: false },
                max: ScoreBound { score: to as f64, exclusive: true },
            };
            for (member, score) in set.iter_ranks(set.ranks_by_score(&range)) {
                if found.len() >= enough {
                    break 'ranges;
                }
                let place = Place::of_score(score);
                if let Some(distance) = shape.distance_inside(centre, place) {
                    found.push(Found { member, score, place, distance });
                }
            }
        }
        // The first of many are the nearest, unless any will do.
        let order = self.order.or((self.count.is_some() && !self.any).then_some(Order::Nearest));
        match order {
            Some(Order::Nearest) => {
                crate::data::order::sort_by(&mut found, |a, b| a.distance.total_cmp(&b.distance))
            }
            Some(Order::Farthest) => {
                crate::data::order::sort_by(&mut found, |a, b| b.distance.total_cmp(&a.distance))
            }
            None => {}
        }
        found.truncate(self.count.unwrap_or(usize::MAX));
        found
    }

    fn write(&self, found: &[Found], reply: &mut ReplyWriter) {
        let details =
            usize::from(self.with_distance) + usize::from(self.with_hash) + usize::from(self.with_place);
        reply.array(found.len());
        for item in found {
            if details > 0 {
                reply.array(1 + details);
            }
            bulk(reply, item.member);
            if self.with_distance {
                write_distance(reply, item.distance / self.unit);
            }
            if self.with_hash {
                reply.integer(item.score as i64);
            }
            if self.with_place {
                write_place(reply, item.place);
            }
        }
    }

    /// The sorted set to store, and its size.
    fn collect(&self, found: &[Found], limits: crate::data::sorted_set::Limits) -> SortedSet {
        let longest = found.iter().map(|item| item.member.text_len()).max().unwrap_or(0);
        let mut set = SortedSet::new(found.len(), longest, limits);
        for item in found {
            let score = if self.stores_distance { item.distance / self.unit } else { item.score };
            set.insert(&item.member.to_vec(), score, limits);
        }
        set
    }
}

fn search(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, form: Form) -> Result {
    let destination = if form == Form::SearchStore { Some(args.next()?) } else { None };
    let limits = ctx.server.config.sorted_set;
    let set = ctx.sorted_set(args.next()?)?;
    let query = Query::parse(form, set, args)?;
    let found = set.map(|set| query.run(set)).unwrap_or_default();
    let Some(destination) = destination.or(query.store) else {
        query.write(&found, reply);
        return Ok(());
    };
    let (count, stored) = (found.len(), query.collect(&found, limits));
    if count == 0 {
        ctx.delete(destination);
    } else {
        ctx.set_value(destination, Value::SortedSet(stored), Ttl::Clear);
        let event = if form == Form::SearchStore { "geosearchstore" } else { "georadiusstore" };
        ctx.changed_times(destination, Class::SORTED_SET, event, count);
    }
    reply.count(count);
    Ok(())
}

pub const GEORADIUS: Command = Command {
    name: "GEORADIUS",
    syntax: "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY@6.2.0]] [ASC | DESC] store=[STORE storekey{key} | STOREDIST storedistkey{key}]",
    summary: "Finds the places within a distance of a point, and may store them.",
    since: "3.2.0",
    complexity: "O(N+log(M)) with N the places in the bounding box and M the size of the index",
    group: Group::Geo,
    flags: WRITE.and(DENYOOM),
    keys: &[
        Keys::at(1).read_only().access(),
        Keys::after("STORE", 6).overwrite().update().incomplete(),
        Keys::after("STOREDIST", 6).overwrite().update().incomplete(),
    ],
    history: &[("6.2.0", "`COUNT` knows `ANY`."), ("7.0.0", "Units may be in capitals.")],
    deprecated_since: Some("6.2.0"),
    replaced_by: Some("`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS`"),
    run: georadius,
    ..Command::BASE
};

fn georadius(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    search(ctx, args, reply, Form::Radius)
}

pub const GEORADIUS_RO: Command = Command {
    name: "GEORADIUS_RO",
    syntax: "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY@6.2.0]] [ASC | DESC]",
    summary: "Finds the places within a distance of a point.",
    since: "3.2.10",
    complexity: "O(N+log(M)) with N the places in the bounding box and M the size of the index",
    group: Group::Geo,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    history: &[("6.2.0", "`COUNT` knows `ANY`."), ("7.0.0", "Units may be in capitals.")],
    deprecated_since: Some("6.2.0"),
    replaced_by: Some("`GEOSEARCH` with `BYRADIUS`"),
    run: georadius_ro,
    ..Command::BASE
};

fn georadius_ro(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    search(ctx, args, reply, Form::RadiusReadOnly)
}

pub const GEORADIUSBYMEMBER: Command = Command {
    name: "GEORADIUSBYMEMBER",
    syntax: "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC] store=[STORE storekey{key} | STOREDIST storedistkey{key}]",
    summary: "Finds the places within a distance of another place, and may store them.",
    since: "3.2.0",
    complexity: "O(N+log(M)) with N the places in the bounding box and M the size of the index",
    group: Group::Geo,
    flags: WRITE.and(DENYOOM),
    keys: &[
        Keys::at(1).read_only().access(),
        Keys::after("STORE", 5).overwrite().update().incomplete(),
        Keys::after("STOREDIST", 5).overwrite().update().incomplete(),
    ],
    history: &[("6.2.0", "`COUNT` knows `ANY`."), ("7.0.0", "Units may be in capitals.")],
    deprecated_since: Some("6.2.0"),
    replaced_by: Some("`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS` and `FROMMEMBER`"),
    run: georadiusbymember,
    ..Command::BASE
};

fn georadiusbymember(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    search(ctx, args, reply, Form::RadiusByMember)
}

pub const GEORADIUSBYMEMBER_RO: Command = Command {
    name: "GEORADIUSBYMEMBER_RO",
    syntax: "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]",
    summary: "Finds the places within a distance of another place.",
    since: "3.2.10",
    complexity: "O(N+log(M)) with N the places in the bounding box and M the size of the index",
    group: Group::Geo,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    history: &[("6.2.0", "`COUNT` knows `ANY`."), ("7.0.0", "Units may be in capitals.")],
    deprecated_since: Some("6.2.0"),
    replaced_by: Some("`GEOSEARCH` with `BYRADIUS` and `FROMMEMBER`"),
    run: georadiusbymember_ro,
    ..Command::BASE
};

fn georadiusbymember_ro(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    search(ctx, args, reply, Form::RadiusByMemberReadOnly)
}

pub const GEOSEARCH: Command = Command {
    name: "GEOSEARCH",
    syntax: "key from=<FROMMEMBER member | FROMLONLAT (longitude latitude)> by=<circle=(BYRADIUS radius <M | KM | FT | MI>) | box=(BYBOX width height <M | KM | FT | MI>)> [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
    summary: "Finds the places inside a circle or a box.",
    since: "6.2.0",
    complexity: "O(N+log(M)) with N the places around the shape and M those inside it",
    group: Group::Geo,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    history: &[("7.0.0", "Units may be in capitals.")],
    run: geosearch,
    ..Command::BASE
};

fn geosearch(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    search(ctx, args, reply, Form::Search)
}

pub const GEOSEARCHSTORE: Command = Command {
    name: "GEOSEARCHSTORE",
    syntax: "destination source from=<FROMMEMBER member | FROMLONLAT (longitude latitude)> by=<circle=(BYRADIUS radius <M | KM | FT | MI>) | box=(BYBOX width height <M | KM | FT | MI>)> [ASC | DESC] [COUNT count [ANY]] [STOREDIST]",
    summary: "Finds the places inside a circle or a box and stores them.",
    since: "6.2.0",
    complexity: "O(N+log(M)) with N the places around the shape and M those inside it",
    group: Group::Geo,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).overwrite().update(), Keys::at(2).read_only().access()],
    history: &[("7.0.0", "Units may be in capitals.")],
    run: geosearchstore,
    ..Command::BASE
};

fn geosearchstore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    search(ctx, args, reply, Form::SearchStore)
}
