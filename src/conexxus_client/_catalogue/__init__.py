"""
Reading a catalogue: pages, links, the stream of items, the recheck of pages.
"""
