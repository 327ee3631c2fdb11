//! The guests are this package's examples, as a package has one library of its own.
