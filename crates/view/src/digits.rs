//! JSON whose whole numbers of more than 32 bits are strings of their digits.

use std::io;

use anyhow::Result;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

struct Digits;

impl Formatter for Digits {
    fn write_i64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: i64) -> io::Result<()> {
        write!(writer, "\"{value}\"")
    }

    fn write_u64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: u64) -> io::Result<()> {
        write!(writer, "\"{value}\"")
    }

    fn write_i128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: i128) -> io::Result<()> {
        write!(writer, "\"{value}\"")
    }

    fn write_u128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: u128) -> io::Result<()> {
        write!(writer, "\"{value}\"")
    }
}

/// A value as a line of JSON.
pub fn json(value: &impl Serialize) -> Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Digits))?;
    Ok(String::from_utf8(bytes)?)
}
