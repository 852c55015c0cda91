"""The dashboard of those who run this: pages made on the server, charts drawn in the browser.

Every chart stands beside a table of the same figures, and every figure is also in the API.
"""
