//! Grading policy arithmetic.
