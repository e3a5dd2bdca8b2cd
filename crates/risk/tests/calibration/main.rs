//! Calibration of series whose truth is known.

mod coverage;
mod parameters;
mod series;
