"""Runs one of the PostgreSQL test modules: main.py MODULE BIN-FOLDER DESCRIPTORS [unittest arguments]."""
import sys
import unittest

import kit

NAME, BIN, DESCRIPTORS = sys.argv[1:4]
module = __import__(NAME)
module.BIN = BIN
module.MESSAGES = kit.load_messages(DESCRIPTORS)
unittest.main(module=module, argv=[NAME] + sys.argv[4:], verbosity=2)
