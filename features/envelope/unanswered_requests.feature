@fake
Feature: A request without an answer is looked up before anything else is sent

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: the answer to an order is lost after the venue took it
    Given the bot is running on BTCUSDT
    When the answer to the bot's next order is lost
    And the bounded window ends
    Then these promises are held:
      | promise | about                             |
      | E12     | nothing unanswered is left unknown |
      | E1      | exposure inside the envelope      |

  Scenario: an order is lost on its way
    Given the bot is running on BTCUSDT
    When the bot's next order is lost on its way
    And the bounded window ends
    Then these promises are held:
      | promise | about                             |
      | E12     | nothing unanswered is left unknown |
      | E1      | exposure inside the envelope       |
      | E5      | sizes as planned                   |
      | E6      | distances as said                  |

  Scenario: the order is sent again under another client id
    Given a bot that sends an unanswered order again under another client id
    And the bot is running on BTCUSDT
    When the bot's next order is lost on its way
    And the bounded window ends
    Then promise E12 is BROKEN because while the fate of

  Scenario: the venue had taken the order, and two rest where one was planned
    Given a bot that sends an unanswered order again under another client id
    And the bot is running on BTCUSDT
    When the answer to the bot's next order is lost
    And the bounded window ends
    Then promise E12 is BROKEN because bot1-
