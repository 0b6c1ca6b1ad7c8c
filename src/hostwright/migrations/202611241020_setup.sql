-- The company's own settings, and the first run: who holds the token printed in the terminal sets the company up, once.
set local lock_timeout = '5s';

-- Name and brand colour as they were set up; the environment wins where it says something.
create table company (
    id boolean primary key default true check (id),
    name text check (length(name) between 1 and 80),
    brand_colour text check (brand_colour ~ '^#[0-9a-f]{6}$'),
    updated_at timestamptz not null default now()
);

-- One row while, and after, a company is set up. No row: nobody was ever asked to. Tokens are stored as their SHA-256.
create table setup (
    id boolean primary key default true check (id),
    token_hash bytea, -- of the token that was printed last; null once somebody has entered it
    token_expires_at timestamptz,
    visitor_hash bytea, -- of the cookie of whoever entered it, until there is an admin
    visitor_expires_at timestamptz,
    admin_id bigint references users (id) on delete set null,
    company_at timestamptz,
    connection_id bigint references connections (id) on delete set null,
    connection_at timestamptz, -- attached, or left for later
    finished_at timestamptz,
    created_at timestamptz not null default now()
);
