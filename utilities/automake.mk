# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += \
	utilities/quickstart.sh \
	utilities/setup.sh
