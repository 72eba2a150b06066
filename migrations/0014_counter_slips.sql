-- 柜台收费单: what the slip of a payment at the counter says, beside its entry of the journal. Of what the office's file
-- does not say there is no row, or an empty text.
CREATE TABLE counter_slip (
    charge_id BIGINT NOT NULL REFERENCES charge (id),
    cause_no TEXT NOT NULL,
    slip_no TEXT NOT NULL,
    clerk TEXT NOT NULL,
    -- Beijing midnight of the day, in milliseconds
    paid_day BIGINT,
    PRIMARY KEY (charge_id, cause_no)
);
