//! Lines of a history, from events of the program on the embedded exchange.
