#pragma once

// Programs that are linked with this have no failed allocation: memory that the system refuses ends the program with
// one message and status 75 (temporary failure), as the full disk does with 74, instead of with a signal.
