#pragma once

/// The processors that this process may use, at least 1.
int h2rec_processor_count(void);
