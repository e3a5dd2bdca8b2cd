//! An embedded exchange for rehearsals and tests.
