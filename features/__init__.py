"""The promises, in Gherkin; installed as `botproof.features`, so that the suite runs from the wheel too."""
