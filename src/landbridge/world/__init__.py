"""The fictitious union of five members that serves the demo, the tutorial, the tests and the benches."""
