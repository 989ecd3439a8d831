@fake
Feature: The fake is one venue, however it is met and however often it pushes

  Rule: One exchange under a clock set by hand gives the same bytes, whatever carries it

    Scenario Outline: carried by <way>
      When the scripted exchange is carried by <way>
      Then every byte is the one that the function gives
      And the exchange brought back:
        | calls answered    | at least 45  |
        | calls refused     | at least 40  |
        | ticker pushed     | at least 30  |
        | books1 pushed     | at least 100 |
        | trade pushed      | at least 10  |
        | orders pushed     | at least 20  |
        | fill pushed       | at least 4   |
        | positions pushed  | at least 5   |
        | account pushed    | at least 20  |
        | errors heard      | at least 20  |
        | login acknowledged | 2           |
        | lines refused     | 1            |
        | lines closed      | 3            |
        | lines cut         | 1            |

      Examples:
        | way               |
        | function          |
        | network in memory |
        | loopback          |

  Rule: Who looks how often changes no verdict

    Scenario: a window without trading and one with fills
      When seeds 15 to 16 are run under both cadences
      Then both cadences come to the same verdicts
      And at least 2 entries were filled under each cadence
