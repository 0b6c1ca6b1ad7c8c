"""Letters for the simulated screen: our own, five dots wide and eight high, the last of them below the line."""

from __future__ import annotations

from typing import Final

WIDE: Final = 5
HIGH: Final = 8

# One word per character from the space on; a digit per line of dots, to the base of 32, the leftmost dot first.
_WORDS: Final = """
00000000 44444040 aa000000 aavavaa0 4fke5u40 pq248bj0 cik8lid0 44000000 24888420 84222480 04lel400
044v4400 00000448 000u0000 00000cc0 122488g0 ehjlphe0 4c4444e0 eh1248v0 eh161he0 26aiv220 vgu11he0
68guhhe0 v1248880 ehhehhe0 ehhf12c0 0cc0cc00 0cc0c480 248g8420 00v0v000 84212480 eh124040 ehnlngf0
ehhvhhh0 uhhuhhu0 ehggghe0 uhhhhhu0 vgguggv0 vgguggg0 ehgnhhe0 hhhvhhh0 e44444e0 72222ic0 hikokih0
ggggggv0 hrllhhh0 hpljhhh0 ehhhhhe0 uhhuggg0 ehhhlid0 uhhukih0 fgge11u0 v4444440 hhhhhhe0 hhhhha40
hhhllrh0 hha4ahh0 hha44440 v1248gv0 e88888e0 g8842210 e22222e0 4ah00000 0000000v 84000000 00e1fhf0
gguhhhu0 00egghe0 11fhhhf0 00ehvge0 698s8880 00fhhf1e gguhhhh0 40c444e0 206222ic ggikoki0 c44444e0
00qllhh0 00uhhhh0 00ehhhe0 00uhhugg 00fhhf11 00mpggg0 00fge1u0 88s88960 00hhhjd0 00hhha40 00hhlla0
00ha4ah0 00hhhf1e 00v248v0 24484420 44444440 84424480 009li000
""".split()

GLYPHS: Final = {chr(32 + at): tuple(int(digit, 32) for digit in word) for at, word in enumerate(_WORDS)}
"""The lines of dots of each character, as numbers of five bits."""
