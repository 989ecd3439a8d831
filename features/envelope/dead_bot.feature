@fake
Feature: A bot that died shows nothing

  A dead bot keeps every limit from then on. What it did before it died may be broken, and is never held.

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: the bot dies in the middle of its window
    Given a bot that dies in the middle of its window
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the bot crashed
    And these promises are NOT SHOWN:
      | promise | about                                  |
      | E1      | exposure inside the envelope           |
      | E2      | no order above the envelope            |
      | E3      | below the desk cap                     |
      | E4      | every order fits the contract          |
      | E5      | sizes as planned                       |
      | E6      | distances as said                      |
      | E8      | mode, margin mode and leverage as said |
      | E9      | cancels inside budget                  |
      | E12     | nothing unanswered is left unknown     |
      | E16     | the window was not idle                |
    And promise E14 is BROKEN because open after the stop
