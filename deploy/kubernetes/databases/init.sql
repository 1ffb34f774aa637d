-- Run once by the mysql image, on an empty volume. Kinora makes its tables itself.
CREATE DATABASE IF NOT EXISTS kinora CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
GRANT ALL PRIVILEGES ON kinora.* TO 'kinora'@'%';
