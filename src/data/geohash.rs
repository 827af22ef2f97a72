//! Places on the globe as 52-bit numbers: 26 bits of longitude and of latitude, interleaved, so that near places mostly
//! have near numbers. Distances, and the cells that cover the surroundings of a place. It must not know sorted sets.
//!
//! Latitudes end at ±85.05112878, as on a square Mercator map. Distances are haversine (R. W. Sinnott, 1984).

pub const LONGITUDE_MAX: f64 = 180.0;
pub const LATITUDE_MAX: f64 = 85.05112878;

/// Bits of each coordinate in a full hash.
const STEP_MAX: u32 = 26;
const EARTH_RADIUS_METERS: f64 = 6_372_797.560856;
/// Half the side of the square map.
const MERCATOR_MAX_METERS: f64 = 20_037_726.37;
const RADIANS: f64 = std::f64::consts::PI / 180.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub longitude: f64,
    pub latitude: f64,
}

/// What a search covers, around its centre, in meters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    Circle { radius: f64 },
    Box { width: f64, height: f64 },
}

impl Place {
    pub fn is_valid(self) -> bool {
        self.longitude.abs() <= LONGITUDE_MAX && self.latitude.abs() <= LATITUDE_MAX
    }

    /// The hash, as a sorted set's score holds it exactly.
    pub fn hash(self) -> u64 {
        Cell::around(self, STEP_MAX).bits()
    }

    /// The middle of the cell that a score names; scores that are no hashes give some place all the same.
    pub fn of_score(score: f64) -> Place {
        let area = Cell::of_bits(bits_of(score), STEP_MAX).area();
        Place {
            longitude: ((area.west + area.east) / 2.0).clamp(-LONGITUDE_MAX, LONGITUDE_MAX),
            latitude: ((area.south + area.north) / 2.0).clamp(-LATITUDE_MAX, LATITUDE_MAX),
        }
    }

    /// The eleven letters by which the rest of the world knows the place: latitudes go to 90 there. The last one
    /// would need bits that are not there and is always `0`.
    pub fn text(self) -> [u8; 11] {
        const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
        let bits = interleave(
            fixed_point(self.latitude, 90.0, STEP_MAX),
            fixed_point(self.longitude, 180.0, STEP_MAX),
        );
        let mut text = [b'0'; 11];
        for (at, letter) in text[..10].iter_mut().enumerate() {
            *letter = LETTERS[(bits >> (52 - 5 * (at + 1)) & 0x1F) as usize];
        }
        text
    }

    /// Along the surface, in meters.
    pub fn distance(self, other: Place) -> f64 {
        let half_width = libm::sin((other.longitude * RADIANS - self.longitude * RADIANS) / 2.0);
        if half_width == 0.0 {
            return distance_of_latitudes(self.latitude, other.latitude);
        }
        let (south, north) = (self.latitude * RADIANS, other.latitude * RADIANS);
        let half_height = libm::sin((north - south) / 2.0);
        let square =
            half_height * half_height + libm::cos(south) * libm::cos(north) * half_width * half_width;
        2.0 * EARTH_RADIUS_METERS * libm::asin(libm::sqrt(square))
    }
}

fn distance_of_latitudes(one: f64, other: f64) -> f64 {
    EARTH_RADIUS_METERS * (other * RADIANS - one * RADIANS).abs()
}

impl Shape {
    /// How far `place` is from the centre, if it is inside.
    pub fn distance_inside(self, centre: Place, place: Place) -> Option<f64> {
        match self {
            Shape::Circle { radius } => Some(centre.distance(place)).filter(|distance| *distance <= radius),
            Shape::Box { width, height } => {
                if distance_of_latitudes(place.latitude, centre.latitude) > height / 2.0 {
                    return None;
                }
                let beside = Place { longitude: centre.longitude, latitude: place.latitude };
                (place.distance(beside) <= width / 2.0).then(|| centre.distance(place))
            }
        }
    }

    /// From the centre to the farthest corner or edge.
    fn reach(self) -> f64 {
        match self {
            Shape::Circle { radius } => radius,
            Shape::Box { width, height } => {
                libm::sqrt((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0))
            }
        }
    }

    /// The least rectangle of coordinates around it; the side nearer to the pole is the wider one in degrees.
    fn bounds(self, centre: Place) -> Area {
        let (half_width, half_height) = match self {
            Shape::Circle { radius } => (radius, radius),
            Shape::Box { width, height } => (width / 2.0, height / 2.0),
        };
        let tall = half_height / EARTH_RADIUS_METERS / RADIANS;
        let poleward = if centre.latitude < 0.0 { centre.latitude - tall } else { centre.latitude + tall };
        let wide = half_width / EARTH_RADIUS_METERS / libm::cos(poleward * RADIANS) / RADIANS;
        Area {
            west: centre.longitude - wide,
            east: centre.longitude + wide,
            south: centre.latitude - tall,
            north: centre.latitude + tall,
        }
    }

    /// Ranges of hashes, first included and last not, in which everything inside the shape lies, and more. At most
    /// nine, the centre's own first.
    pub fn ranges(self, centre: Place) -> Vec<(u64, u64)> {
        let bounds = self.bounds(centre);
        let mut step = estimate_step(self.reach(), centre.latitude);
        let mut cell = Cell::around(centre, step);
        // Near an edge of the grid the neighbours may not reach far enough.
        let falls_short = cell.moved(0, 1).area().north < bounds.north
            || cell.moved(0, -1).area().south > bounds.south
            || cell.moved(1, 0).area().east < bounds.east
            || cell.moved(-1, 0).area().west > bounds.west;
        if step > 1 && falls_short {
            step -= 1;
            cell = Cell::around(centre, step);
        }
        let area = cell.area();
        let is_needed = |(east, north): (i32, i32)| {
            step < 2
                || !(north < 0 && area.south < bounds.south
                    || north > 0 && area.north > bounds.north
                    || east < 0 && area.west < bounds.west
                    || east > 0 && area.east > bounds.east)
        };
        const AROUND: [(i32, i32); 8] =
            [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];
        let mut ranges = vec![cell.range()];
        for (east, north) in AROUND.into_iter().filter(|side| is_needed(*side)) {
            // A large cell's neighbour to the east is also that to the west.
            let range = cell.moved(east, north).range();
            if !ranges.contains(&range) {
                ranges.push(range);
            }
        }
        ranges
    }
}

/// The most bits a coordinate with which three by three cells cover the reach.
fn estimate_step(reach_meters: f64, latitude: f64) -> u32 {
    if reach_meters == 0.0 {
        return STEP_MAX;
    }
    let (mut step, mut reach) = (-1, reach_meters);
    while reach < MERCATOR_MAX_METERS {
        reach *= 2.0;
        step += 1;
    }
    // Towards the poles meridians are close.
    step -= i32::from(latitude.abs() > 66.0) + i32::from(latitude.abs() > 80.0);
    step.clamp(1, STEP_MAX as i32) as u32
}

/// One cell of the grid with `2^step` rows and columns.
#[derive(Clone, Copy)]
struct Cell {
    row: u32,
    column: u32,
    step: u32,
}

struct Area {
    west: f64,
    east: f64,
    south: f64,
    north: f64,
}

impl Cell {
    fn around(place: Place, step: u32) -> Cell {
        Cell {
            row: fixed_point(place.latitude, LATITUDE_MAX, step),
            column: fixed_point(place.longitude, LONGITUDE_MAX, step),
            step,
        }
    }

    fn of_bits(bits: u64, step: u32) -> Cell {
        Cell { row: every_second_bit(bits), column: every_second_bit(bits >> 1), step }
    }

    fn bits(self) -> u64 {
        interleave(self.row, self.column)
    }

    /// The full hashes of all places in the cell.
    fn range(self) -> (u64, u64) {
        let shift = 2 * (STEP_MAX - self.step);
        (self.bits() << shift, (self.bits() + 1) << shift)
    }

    /// A neighbour; the grid has no edges.
    fn moved(self, east: i32, north: i32) -> Cell {
        let mask = (1u32 << self.step) - 1;
        let by = |at: u32, by: i32| if by == 0 { at } else { at.wrapping_add_signed(by) & mask };
        Cell { row: by(self.row, north), column: by(self.column, east), step: self.step }
    }

    fn area(self) -> Area {
        let cells = (1u64 << self.step) as f64;
        let edge = |at: u32, max: f64| -max + f64::from(at) / cells * (max - -max);
        Area {
            west: edge(self.column, LONGITUDE_MAX),
            east: edge(self.column.wrapping_add(1), LONGITUDE_MAX),
            south: edge(self.row, LATITUDE_MAX),
            north: edge(self.row.wrapping_add(1), LATITUDE_MAX),
        }
    }
}

/// Where `degrees` lies between `-max` and `max`, in `2^step` parts.
fn fixed_point(degrees: f64, max: f64, step: u32) -> u32 {
    ((degrees - -max) / (max - -max) * (1u64 << step) as f64) as u32
}

/// A score as an unsigned number, as x86-64 converts: negative ones wrap around.
fn bits_of(score: f64) -> u64 {
    const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
    match score {
        score if score < 0.0 => score as i64 as u64,
        score if score >= TWO_TO_64 => 0,
        score => score as u64,
    }
}

fn interleave(even: u32, odd: u32) -> u64 {
    spread(even) | spread(odd) << 1
}

/// Puts a zero above every bit.
fn spread(value: u32) -> u64 {
    let mut bits = u64::from(value);
    for (shift, mask) in [
        (16, 0x0000_FFFF_0000_FFFF),
        (8, 0x00FF_00FF_00FF_00FF),
        (4, 0x0F0F_0F0F_0F0F_0F0F),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// Undoes [`spread`]; the bits between do not count.
fn every_second_bit(bits: u64) -> u32 {
    (0..32).fold(0, |value, at| value | ((bits >> (2 * at) & 1) as u32) << at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PALERMO: Place = Place { longitude: 13.361389, latitude: 38.115556 };
    const CATANIA: Place = Place { longitude: 15.087269, latitude: 37.502669 };

    #[test]
    fn hashes_are_those_of_the_manual() {
        assert_eq!(PALERMO.hash(), 3479099956230698);
        assert_eq!(CATANIA.hash(), 3479447370796909);
        let back = Place::of_score(3479099956230698.0);
        assert_eq!((back.longitude, back.latitude), (13.361389338970184, 38.1155563954963));
        assert_eq!(&back.text(), b"sqc8b49rny0");
        let there = Place::of_score(3479447370796909.0);
        assert_eq!(format!("{:.4}", back.distance(there)), "166274.1516");
    }

    #[test]
    fn interleaving_has_an_inverse() {
        for (even, odd) in [(0, 0), (1, 0), (0, 1), (u32::MAX, 0), (0x1234_5678, 0x9ABC_DEF0)] {
            let bits = interleave(even, odd);
            assert_eq!((every_second_bit(bits), every_second_bit(bits >> 1)), (even, odd));
        }
    }

    #[test]
    fn every_place_inside_a_shape_is_in_one_of_its_ranges() {
        let mut seed = 7u64;
        let mut random = |span: f64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((seed >> 11) as f64 / (1u64 << 53) as f64 - 0.5) * span
        };
        for _ in 0..20_000 {
            let centre = Place { longitude: random(300.0), latitude: random(120.0) };
            let place =
                Place { longitude: centre.longitude + random(4.0), latitude: centre.latitude + random(4.0) };
            let hash = place.hash();
            let exact = Place::of_score(hash as f64);
            let radius = centre.distance(exact) + 1.0;
            let ranges = Shape::Circle { radius }.ranges(centre);
            assert!(
                ranges.iter().any(|(from, to)| (*from..*to).contains(&hash)),
                "{centre:?} {exact:?} {radius}"
            );
        }
    }

    #[test]
    fn no_score_and_no_size_panics() {
        for score in [-1.0, -1e300, 1e300, f64::INFINITY, f64::NEG_INFINITY, 1.8e19, 0.5] {
            assert!(Place::of_score(score).is_valid());
            Place::of_score(score).text();
        }
        for radius in [0.0, 1e-320, 1e9, 1e308, f64::INFINITY] {
            assert!(!Shape::Circle { radius }.ranges(PALERMO).is_empty());
            assert!(!Shape::Box { width: radius, height: radius }.ranges(CATANIA).is_empty());
        }
    }
}
