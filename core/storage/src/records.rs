//! Records of every collection that has a table: reading, counting, writing.

mod group;
mod read;
mod write;

pub use group::groups;
pub use read::{among, count, find, get, list, load, load_many};
pub use write::{Generation, Reach, Reached, delete, insert, reach, update};
