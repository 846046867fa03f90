-- What was ended lately: each process looks for what another one ended, should the word of it have been lost.
CREATE INDEX device_revoked ON device (revoked) WHERE revoked IS NOT NULL;
CREATE INDEX account_erased ON account (erased) WHERE erased IS NOT NULL;
