//! Streams: blocks of entries as they are, then the groups with what they have handed out, then the producers.

use crate::data::listpack::Listpack;
use crate::data::stream::{Block, Group, Producers, Stream, StreamId};

use super::restore::listpack;
use super::{Bad, Reader, Result, Target, Writer, kind};

const CORRUPT: Bad = Bad::Corrupt("not a stream");

pub(super) fn type_of(stream: &Stream, target: Target) -> u8 {
    if stream.groups().values().any(|group| group.unowned_len() > 0) {
        kind::STREAM_5
    } else if stream.producers.is_some() {
        kind::STREAM_4
    } else if target == Target::Ourselves {
        kind::STREAM_3
    } else {
        // It lacks when a consumer last got something, apart from when it last tried.
        kind::STREAM_2
    }
}

/// When consumers last got something, in the order in which they are written, where [`kind::STREAM_2`] would lose it.
pub(super) fn active_times(stream: &Stream) -> Vec<u8> {
    let consumers = || stream.groups().values().flat_map(Group::consumers);
    if consumers().all(|consumer| consumer.active_ms == consumer.seen_ms) {
        return Vec::new();
    }
    consumers().flat_map(|consumer| consumer.active_ms.to_le_bytes()).collect()
}

/// Puts back what [`active_times`] has saved.
pub(super) fn set_active_times(stream: &mut Stream, times: &[u8]) {
    let mut times = times.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes));
    for group in stream.groups_mut() {
        let numbers: Vec<_> =
            group.consumers().filter_map(|consumer| group.consumer_number(&consumer.name)).collect();
        for number in numbers {
            let Some(active_ms) = times.next() else { return };
            group.consumer_mut(number).active_ms = active_ms;
        }
    }
}

pub(super) fn write(out: &mut Writer, stream: &Stream, kind: u8) {
    out.number(stream.blocks().len() as u64);
    for block in stream.blocks() {
        out.string(&block.first.sort_key());
        out.string(block.pack().bytes());
    }
    out.number(stream.len() as u64);
    for id in [stream.last_id, stream.first_id(), stream.max_deleted_id] {
        out.stream_id(id);
    }
    out.number(stream.entries_added);
    out.number(stream.groups().len() as u64);
    for (name, group) in stream.groups() {
        out.string(name);
        write_group(out, group, kind);
    }
    if kind >= kind::STREAM_4 {
        let defaults = Producers::new(100, 100);
        write_producers(out, stream.producers.as_deref().unwrap_or(&defaults));
    }
}

fn write_group(out: &mut Writer, group: &Group, kind: u8) {
    out.stream_id(group.last_id);
    out.number(group.entries_read as u64);
    out.number(group.pending_len() as u64);
    for (id, pending) in group.pending() {
        out.raw(&id.sort_key());
        out.i64(pending.delivered_ms);
        out.number(pending.deliveries);
    }
    let consumers = group.consumers();
    out.number(consumers.len() as u64);
    for consumer in consumers {
        out.string(&consumer.name);
        out.i64(consumer.seen_ms);
        if kind >= kind::STREAM_3 {
            out.i64(consumer.active_ms);
        }
        out.number(consumer.pending().len() as u64);
        for id in consumer.pending() {
            out.raw(&id.sort_key());
        }
    }
    if kind >= kind::STREAM_5 {
        out.number(group.unowned_len() as u64);
        for (id, _) in group.pending_by_time().filter(|(_, pending)| pending.owner.is_none()) {
            out.raw(&id.sort_key());
        }
    }
}

fn write_producers(out: &mut Writer, producers: &Producers) {
    out.number(producers.duration_s);
    out.number(producers.size_max);
    let messages: Vec<_> = producers.iter().collect();
    let by_producer = || messages.chunk_by(|left, right| left.0 == right.0);
    out.number(by_producer().count() as u64);
    for messages in by_producer() {
        out.string(messages[0].0);
        out.number(messages.len() as u64);
        for (_, message, id) in messages {
            out.string(message);
            out.stream_id(*id);
        }
    }
    out.number(producers.added);
    out.number(producers.duplicates);
}

pub(super) fn read(reader: &mut Reader, kind: u8) -> Result<Stream> {
    let mut stream = Stream::new();
    let mut last = None;
    for _ in 0..reader.count(2)? {
        let first = reader.string()?;
        let first = StreamId::from_sort_key(&first).ok_or(CORRUPT)?;
        let pack = listpack(&reader.string()?)?;
        check_block(&pack)?;
        let block = Block::from_pack(first, pack);
        for entry in block.iter() {
            if last.is_some_and(|last| entry.id <= last) || entry.id < first {
                return Err(CORRUPT);
            }
            last = Some(entry.id);
        }
        if stream.blocks().back().is_some_and(|before| before.first >= first) {
            return Err(CORRUPT);
        }
        stream.push_block(block);
    }
    // How many entries there are has just been counted.
    reader.number()?;
    stream.last_id = reader.stream_id()?;
    if last.is_some_and(|last| last > stream.last_id) {
        return Err(CORRUPT);
    }
    if kind >= kind::STREAM_2 {
        reader.stream_id()?;
        stream.max_deleted_id = reader.stream_id()?;
        stream.entries_added = reader.number()?;
    } else {
        stream.entries_added = stream.len() as u64;
    }
    for _ in 0..reader.count(6)? {
        let name = reader.string()?;
        let group = read_group(reader, kind, &stream)?;
        if !stream.create_group(&name, group) {
            return Err(CORRUPT);
        }
    }
    if kind >= kind::STREAM_4 {
        stream.producers = Some(Box::new(read_producers(reader)?));
    }
    Ok(stream)
}

fn read_group(reader: &mut Reader, kind: u8, stream: &Stream) -> Result<Group> {
    let last_id = reader.stream_id()?;
    let entries_read = match kind {
        kind::STREAM => stream.entries_up_to(last_id).map_or(-1, |count| count as i64),
        _ => reader.number()? as i64,
    };
    let mut group = Group::new(last_id, entries_read);
    // Id, time, deliveries, and whether an owner has been found.
    let mut pending: Vec<(StreamId, i64, u64, bool)> = Vec::new();
    for _ in 0..reader.count(25)? {
        let item = (reader.raw_stream_id()?, reader.i64()?, reader.number()?, false);
        if pending.last().is_some_and(|before| before.0 >= item.0) {
            return Err(CORRUPT);
        }
        pending.push(item);
    }
    let mut claim = |id: StreamId| {
        let at = pending.binary_search_by_key(&id, |item| item.0).map_err(|_| CORRUPT)?;
        let (_, delivered_ms, deliveries, is_taken) = &mut pending[at];
        if std::mem::replace(is_taken, true) { Err(CORRUPT) } else { Ok((*delivered_ms, *deliveries)) }
    };
    for _ in 0..reader.count(10)? {
        let name = reader.string()?;
        if group.consumer_number(&name).is_some() {
            return Err(CORRUPT);
        }
        let seen_ms = reader.i64()?;
        let number = group.create_consumer(&name, seen_ms);
        let active_ms = if kind >= kind::STREAM_3 { reader.i64()? } else { seen_ms };
        group.consumer_mut(number).active_ms = active_ms;
        for _ in 0..reader.count(16)? {
            let id = reader.raw_stream_id()?;
            let (delivered_ms, deliveries) = claim(id)?;
            group.assign(id, number, delivered_ms, deliveries);
        }
    }
    if kind >= kind::STREAM_5 {
        for _ in 0..reader.count(16)? {
            let id = reader.raw_stream_id()?;
            let (_, deliveries) = claim(id)?;
            group.disown(id, deliveries);
        }
    }
    if pending.iter().any(|(_, _, _, is_taken)| !is_taken) {
        return Err(CORRUPT);
    }
    Ok(group)
}

fn read_producers(reader: &mut Reader) -> Result<Producers> {
    let (duration_s, size_max) = (reader.number()?, reader.number()?);
    // No message is forgotten while they are read.
    let mut producers = Producers::new(duration_s, u64::from(u32::MAX));
    for _ in 0..reader.count(2)? {
        let producer = reader.string()?;
        for _ in 0..reader.count(3)? {
            let (message, id) = (reader.string()?, reader.stream_id()?);
            producers.record(&producer, &message, id, 0);
        }
    }
    producers.size_max = size_max;
    producers.added = reader.number()?;
    producers.duplicates = reader.number()?;
    Ok(producers)
}

/// Walks over the integers of a block.
struct Walk<'a> {
    elements: crate::data::listpack::Iter<'a>,
}

impl Walk<'_> {
    fn number(&mut self) -> Result<i64> {
        self.elements.next().and_then(|element| element.as_i64()).ok_or(CORRUPT)
    }

    fn count(&mut self) -> Result<u64> {
        self.number().and_then(|number| u64::try_from(number).map_err(|_| CORRUPT))
    }

    fn skip(&mut self, count: u64) -> Result {
        for _ in 0..count {
            self.elements.next().ok_or(CORRUPT)?;
        }
        Ok(())
    }
}

/// Whether a listpack is laid out as the entries of a stream are.
fn check_block(pack: &Listpack) -> Result {
    let mut walk = Walk { elements: pack.iter() };
    let (live, deleted, fields) = (walk.count()?, walk.count()?, walk.count()?);
    walk.skip(fields)?;
    if live == 0 || walk.number()? != 0 {
        return Err(CORRUPT);
    }
    let mut seen = [0, 0];
    while seen[0] + seen[1] < live.saturating_add(deleted) {
        let flags = walk.number()?;
        if !(0..4).contains(&flags) {
            return Err(CORRUPT);
        }
        // The two parts of the id.
        walk.number()?;
        walk.number()?;
        let elements = if flags & 2 != 0 {
            walk.skip(fields)?;
            fields + 3
        } else {
            let own = walk.count()?;
            walk.skip(own)?;
            walk.skip(own)?;
            own.saturating_mul(2).saturating_add(4)
        };
        if walk.count()? != elements {
            return Err(CORRUPT);
        }
        seen[(flags & 1) as usize] += 1;
    }
    let is_whole = seen == [live, deleted] && walk.elements.next().is_none();
    if is_whole { Ok(()) } else { Err(CORRUPT) }
}
